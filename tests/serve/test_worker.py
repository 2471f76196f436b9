"""A worker that has loaded the application says so once its port accepts."""

import socket
from typing import Any

import pytest

from dockerflow_django.serve import worker
from tests.harness.ports import LOOPBACK


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, Any]]:
    """Keep what is said, and wait less."""
    said: list[tuple[Any, Any]] = []
    monkeypatch.setattr(
        worker,
        "serve_questions",
        lambda channel, worker_threads: said.append((channel, worker_threads)),
    )
    monkeypatch.setattr(worker, "BIND_PAUSE_SECONDS", 0.001)
    return said


def test_port_that_accepts(serving: list[tuple[Any, Any]]) -> None:
    """The first connection that is accepted is enough."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        worker._serve_when_bound("channel", 2, listener.getsockname())  # type: ignore[arg-type]
        listener.settimeout(5)
        listener.accept()[0].close()
        listener.settimeout(0.1)
        with pytest.raises(TimeoutError):
            listener.accept()
    assert serving == [("channel", 2)]


def test_port_that_never_accepts(serving: list[tuple[Any, Any]]) -> None:
    """A firewall that lets nobody in keeps no worker unready: it serves after some attempts."""
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        worker._serve_when_bound("channel", None, silent.getsockname())  # type: ignore[arg-type]
    assert serving == [("channel", None)]
