"""Where things lie on this machine is nobody's business."""

import sysconfig
from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django.management.places import hide_place, hide_places

PACKAGES = sysconfig.get_path("purelib")


@pytest.fixture(autouse=True)
def _home(monkeypatch: pytest.MonkeyPatch):
    """Let the project lie in a home folder, as a developer's does."""
    monkeypatch.setenv("HOME", "/root/of/ada")
    monkeypatch.syspath_prepend("/srv/modules")
    with override_settings(BASE_DIR=Path("/root/of/ada/shop")):
        yield


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ('File "/root/of/ada/shop/views.py", line 3', 'File "BASE_DIR/views.py", line 3'),
        ("in /root/of/ada/shop, or not", "in BASE_DIR, or not"),
        ("/root/of/ada/.netrc", "~/.netrc"),
        (f'File "{PACKAGES}/django/db/utils.py"', 'File "site-packages/django/db/utils.py"'),
        ("/srv/modules/shop/checks.py", "modules/shop/checks.py"),
        ("/home/eve/x and /Users/eve/y", "/home/.../x and /Users/.../y"),
        ("'^/root/of/ada/shop' must be a path", "'^/root/of/ada/shop' must be a path"),
        ("/root/of/ada/shopping", "~/shopping"),
        ("/root/of/adam", "/root/of/adam"),
        ("https://example.com/home/eve", "https://example.com/home/eve"),
        ("/run/dockerflow/drain", "/run/dockerflow/drain"),
    ],
)
def test_folders_have_names(text: str, shown: str):
    """The innermost folder counts, a path inside a URL is none, and others stay as they are."""
    assert hide_places(text) == shown


def test_a_project_without_a_base_dir():
    """The other folders are known all the same."""
    with override_settings(BASE_DIR=None):
        assert hide_places("/root/of/ada/shop") == "~/shop"


def test_a_folder_with_a_backslash(monkeypatch: pytest.MonkeyPatch):
    """What stands for a folder is written as it is."""
    monkeypatch.syspath_prepend(r"/srv/a\d")
    assert hide_places(r"/srv/a\d/checks.py") == r"a\d/checks.py"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("'/root/of/ada/shop/run/drain'", "'BASE_DIR/run/drain'"),
        ("PosixPath('/root/of/ada/shop')", "PosixPath('BASE_DIR')"),
        ("'/run/drain'", "'/run/drain'"),
        ("('^/root/of/ada/shop/', '/x')", "('^/root/of/ada/shop/', '/x')"),
        ("('/root/of/ada/shop/',)", "('/root/of/ada/shop/',)"),
        ("'/root/of/ada/shop/(a|b)'", "'/root/of/ada/shop/(a|b)'"),
        ("'sqlite:/root/of/ada/shop'", "'sqlite:/root/of/ada/shop'"),
        ("8001", "8001"),
    ],
)
def test_values_of_settings(value: str, shown: str):
    """A value that is one path begins with the folder's name; any other stays as it is."""
    assert hide_place(value) == shown
