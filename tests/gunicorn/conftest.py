"""Gunicorn's own arbiter, and the hooks' part of it, in this process: it neither forks nor ends."""

import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import override_settings
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter

from dockerflow_django.gunicorn.arbiter import Arbiter as OurArbiter
from dockerflow_django.gunicorn.ending import Ending
from dockerflow_django.supervisor.container import Container
from dockerflow_django.supervisor.settings import read_settings

LOGGERS = ("gunicorn.error", "gunicorn.access", "uvicorn.error", "uvicorn.access")


class App(BaseApplication):
    """An application that no worker ever loads."""

    def load_config(self) -> None:
        """Leave everything as it is by default."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """Give the path of the arbiter's log."""
    return tmp_path / "log"


@pytest.fixture
def server(log: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Arbiter]:
    """Give Gunicorn's arbiter; the loggers are afterwards as they were."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [(each, each.handlers[:], each.propagate, each.level) for each in loggers]
    monkeypatch.setenv("SERVER_SOFTWARE", "gunicorn")  # the arbiter sets it
    app = App()
    app.cfg.set("errorlog", str(log))
    found = Arbiter(app)
    found.pid = os.getpid()
    yield found
    for handler in loggers[0].handlers:
        handler.close()
    for logger, handlers, propagate, level in before:
        logger.handlers = handlers
        logger.propagate = propagate
        logger.setLevel(level)


@pytest.fixture
def hooks(server: Arbiter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[OurArbiter]:
    """Give what the hooks keep, with neither a port nor a thread that would wait for a signal."""
    monkeypatch.setattr(Ending, "_await_stop", lambda ending: None)
    found = OurArbiter()
    drain_path = str(tmp_path / "drain")
    with override_settings(DOCKERFLOW_DRAIN_PATH=drain_path, DOCKERFLOW_PROBE_PORT=None):
        found.container = Container(read_settings())
    found.server = server
    found.ending = Ending(server, found.container)
    before: Any = signal.getsignal(signal.SIGTERM)
    yield found
    signal.signal(signal.SIGTERM, before)
    found.ending.cancel()
    found.container.pool.stop()
