"""The four ways of `docs/howto/configuration.rst`, each with its library."""

import json
import subprocess
import sys

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness.project import Project

PAGE = ROOT / "docs/howto/configuration.rst"
WAYS = {
    "import os": "django",
    "from decouple": "django",
    "import environ": "django",
    "from configurations": "configurations",
}
LOOK = """
import importlib, json, sys
importlib.import_module(sys.argv[1]).setup()
from django.conf import settings
from dockerflow_django.conf import conf
names = ("SECRET_KEY", "DEBUG", "ALLOWED_HOSTS")
print(json.dumps({
    **{name: getattr(settings, name) for name in names},
    "token": conf.DOCKERFLOW_HEARTBEAT_TOKEN,
    "level": conf.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL,
}))
"""


def look(folder, way, **environ):
    (text, *_) = (b.text for b in blocks_in(PAGE) if b.text.startswith(way))
    (folder / "ways.py").write_text(f"{text}\nUSE_TZ = True\n")
    project = Project(folder).with_environ(DJANGO_SETTINGS_MODULE="ways", **environ)
    done = subprocess.run(
        [sys.executable, "-c", LOOK, WAYS[way]],
        cwd=folder,
        env=project.env(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.long
@pytest.mark.parametrize("way", WAYS)
def test_the_environment_is_read(tmp_path, way):
    """Text becomes what the setting needs, and the app reads its own variables beside it."""
    (tmp_path / "token").write_text("s3cret\n")
    found = look(
        tmp_path,
        way,
        SECRET_KEY="from outside",
        DEBUG="true",
        ALLOWED_HOSTS="shop.example",
        DOCKERFLOW_HEARTBEAT_TOKEN_FILE=str(tmp_path / "token"),
        DJANGO_CONFIGURATION="Base",
    )
    assert found.pop("level") == 30
    assert found == {
        "SECRET_KEY": "from outside",
        "DEBUG": True,
        "ALLOWED_HOSTS": ["shop.example"],
        "token": "s3cret",
    }


@pytest.mark.parametrize("way", WAYS)
def test_the_defaults_are_safe(tmp_path, way):
    """Without a variable DEBUG is off."""
    found = look(tmp_path, way, DJANGO_CONFIGURATION="Base")
    assert (found["DEBUG"], found["ALLOWED_HOSTS"]) == (False, [])


def test_a_class_of_settings_is_chosen_by_name(tmp_path):
    """DJANGO_CONFIGURATION names it, and the app reads its settings from it."""
    way = "from configurations"
    assert look(tmp_path, way, DJANGO_CONFIGURATION="Staging")["level"] == 40
