"""What wins: an option after ``--``, an option of ``serve``, ``GRANIAN_…``, and then ``PORT``."""

import pytest

from dockerflow_django.serve.options import WrongOptionsError, build_server

DEFAULTS = {"host": "0.0.0.0", "port": 8000}  # as `serve` takes them from PORT


@pytest.fixture(autouse=True)
def project(settings):
    settings.WSGI_APPLICATION = "tests.project.wsgi.application"
    settings.ASGI_APPLICATION = "tests.project.asgi.application"


def build(*, asgi=False, more=(), **given):
    return build_server(asgi=asgi, defaults=DEFAULTS, given=given, more=more)


def test_port_from_each_place(monkeypatch):
    """The later one wins: PORT, GRANIAN_PORT, --port, and what follows after --."""
    assert build().bind_port == 8000
    monkeypatch.setenv("GRANIAN_PORT", "8100")
    assert build().bind_port == 8100
    assert build(port=8200).bind_port == 8200
    assert build(port=8200, more=["--port", "8300"]).bind_port == 8300


def test_a_variable_replaces_a_default_of_ours(monkeypatch):
    """As the number of threads, which is ours and not Granian's where nobody says one."""
    monkeypatch.setenv("GRANIAN_BLOCKING_THREADS", "7")
    monkeypatch.setenv("GRANIAN_WORKERS", "2")
    server = build()
    assert (server.blocking_threads, server.workers) == (7, 2)


@pytest.mark.parametrize("asgi", [False, True])
def test_no_variable_changes_what_is_served(monkeypatch, asgi):
    """The interface belongs to the application: the other one would fail every request."""
    monkeypatch.setenv("GRANIAN_INTERFACE", "wsgi" if asgi else "asgi")
    monkeypatch.setenv("GRANIAN_FACTORY", "true")
    server = build(asgi=asgi)
    assert (server.interface, server.factory) == ("asgi" if asgi else "wsgi", False)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("GRANIAN_WORKERS", "many", "'many' is not a valid integer"),
        ("GRANIAN_RESPAWN_FAILED_WORKERS", "true", "serve replaces every worker that dies"),
        ("GRANIAN_SSL_KEYFILE", __file__, "--ssl-keyfile needs --ssl-certificate"),
    ],
)
def test_a_variable_that_cannot_be_is_refused(monkeypatch, name, value, sentence):
    """With the sentence of the option."""
    monkeypatch.setenv(name, value)
    with pytest.raises(WrongOptionsError, match=sentence):
        build()
