"""The server that is built from options and settings, without being started."""

from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings

from dockerflow_django.serve.options import WrongOptionsError
from tests.serve.building import build


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_question(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Granian's answer to ``--help`` or ``--version`` is the end, with status 0."""
    with pytest.raises(SystemExit) as end:
        build(option)
    assert end.value.code == 0
    assert "serve" in capsys.readouterr().out


def test_clients_that_nobody_verifies(tmp_path: Path) -> None:
    """To verify clients without an authority is refused: Granian would let all of them in."""
    file = tmp_path / "a.pem"
    file.touch()
    options = ["--ssl-certificate", str(file), "--ssl-keyfile", str(file), "--ssl-client-verify"]
    with pytest.raises(WrongOptionsError, match="--ssl-client-verify needs --ssl-ca too"):
        build(*options)


def test_interface_that_django_does_not_speak() -> None:
    """Granian's own interface is refused, with those that Django speaks."""
    with pytest.raises(WrongOptionsError, match="--interface rsgi: Django speaks wsgi and asgi"):
        build("--interface", "rsgi")


def test_certificate_that_is_none(tmp_path: Path) -> None:
    """What Granian raises for a certificate that cannot be read is a refusal, with its reason."""
    file = tmp_path / "bad.pem"
    file.write_text("no certificate")
    with pytest.raises(WrongOptionsError, match="PEM") as caught:
        build("--ssl-certificate", str(file), "--ssl-keyfile", str(file))
    assert str(caught.value) == str(caught.value.__cause__)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("{", "Granian refuses its options, see above"),
        ("[1]", "--log-config: the file holds nothing that dictConfig takes"),
        ('{"loggers": 3}', "--log-config: the file holds nothing that dictConfig takes"),
        ('{"formatters": 3}', "--log-config: the file holds nothing that dictConfig takes"),
        ('{"handlers": 3}', "--log-config: the file holds nothing that dictConfig takes"),
        ('{"filters": [1]}', "--log-config: the file holds nothing that dictConfig takes"),
        ('{"loggers": {"_granian": 3}}', "--log-config: the file holds nothing"),
        ('{"version": 2}', "Unsupported version: 2"),
    ],
)
def test_log_config_that_is_none(tmp_path: Path, content: str, said: str) -> None:
    """A file that configures no logging is a refusal."""
    file = tmp_path / "log.json"
    file.write_text(content)
    with pytest.raises(WrongOptionsError, match=f"^{said}"):
        build("--log-config", str(file))


@pytest.mark.parametrize(
    ("settings", "asgi", "wanted"),
    [
        ({"WSGI_APPLICATION": "shop.wsgi.application"}, False, ("shop.wsgi:application", False)),
        ({"WSGI_APPLICATION": None}, False, ("django.core.wsgi:get_wsgi_application", True)),
        ({"ASGI_APPLICATION": "shop.asgi.django"}, True, ("shop.asgi:django", False)),
        ({"WSGI_APPLICATION": "tests.project.wsgi.application"}, True,
         ("tests.project.asgi:application", False)),
        ({"WSGI_APPLICATION": "tests.harness.wsgi.application"}, True,
         ("django.core.asgi:get_asgi_application", True)),
        ({"WSGI_APPLICATION": "wsgi.application"}, True,
         ("django.core.asgi:get_asgi_application", True)),
        ({"WSGI_APPLICATION": None}, True, ("django.core.asgi:get_asgi_application", True)),
    ],
)  # fmt: skip
def test_target(settings: dict[str, Any], asgi: bool, wanted: tuple[str, bool]) -> None:
    """The settings' application is served, else the ASGI one beside it, else Django's own."""
    with override_settings(**{"ASGI_APPLICATION": None, **settings}):
        server = build(asgi=asgi)
    assert (server.target, server.factory) == wanted


def test_package_that_is_missing() -> None:
    """If even the package of the WSGI application is not there, the setting is named."""
    settings = {"ASGI_APPLICATION": None, "WSGI_APPLICATION": "nope.wsgi.application"}
    said = "^WSGI_APPLICATION = 'nope.wsgi.application': No module named 'nope'$"
    with override_settings(**settings), pytest.raises(WrongOptionsError, match=said):
        build(asgi=True)
