"""A worker that has loaded the application says so once its port accepts."""

import socket
import sys
from pathlib import Path
from types import SimpleNamespace
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


def take_the_one_client(listener: socket.socket) -> None:
    """Accept one connection, and see that there is no second."""
    listener.settimeout(5)
    listener.accept()[0].close()
    listener.settimeout(0.1)
    with pytest.raises(TimeoutError):
        listener.accept()


def test_port_that_accepts(serving: list[tuple[Any, Any]]) -> None:
    """The first connection that is accepted is enough."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        worker._serve_when_bound("channel", 2, listener.getsockname())  # type: ignore[arg-type]
        take_the_one_client(listener)
    assert serving == [("channel", 2)]


def test_port_that_never_accepts(serving: list[tuple[Any, Any]]) -> None:
    """A firewall that lets nobody in keeps no worker unready: it serves after some attempts."""
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        worker._serve_when_bound("channel", None, silent.getsockname())  # type: ignore[arg-type]
    assert serving == [("channel", None)]


def test_unix_socket_that_accepts(
    serving: list[tuple[Any, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The path of a unix socket is tried like a port."""
    monkeypatch.chdir(tmp_path)
    path = "app.sock"  # a whole path may be longer than a unix socket's may be
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert not worker._is_accepted(path)
        listener.listen()
        worker._serve_when_bound("channel", 2, path)  # type: ignore[arg-type]
        take_the_one_client(listener)
    assert serving == [("channel", 2)]


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what a worker does in order, and leave this process's signals alone."""
    done: list[Any] = []
    monkeypatch.setattr(worker, "leave_group", lambda: done.append("left"))
    monkeypatch.setattr(worker, "end_within", done.append)
    monkeypatch.setattr(worker, "_this_worker", None)
    return done


def channel_of(done: list[Any]) -> Any:
    return SimpleNamespace(
        attach=lambda: done.append("attached"), report_stopping=lambda: done.append("told")
    )


@pytest.mark.parametrize("has_port", [False, True])
def test_probe_port_of_the_parent(done: list[Any], has_port: bool) -> None:
    """A forked worker lets go of the probe port before all else; without one it begins as well."""
    port = SimpleNamespace(close_in_child=lambda: done.append("closed"))
    channel = channel_of(done)
    container: Any = SimpleNamespace(probe_port=port if has_port else None)
    known: Any = SimpleNamespace(enter=lambda: channel)
    worker.enter_forked(done.append, known, container, 2, 20.0, "ran")
    begun = [*(["closed"] if has_port else []), "left", "attached", "ran"]
    assert done == [*begun, 20.0, "told"]
    assert worker._this_worker == (channel, 2)


def test_server_that_ends_by_an_exception(done: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """What ends in the middle, as by ``sys.exit`` in a view, has little time: its port is open."""
    monkeypatch.setattr(worker, "WorkerChannel", channel_of)
    with pytest.raises(SystemExit, match="3"):
        worker.enter_spawned(sys.exit, done, None, 20.0, 3)
    assert done == ["left", "attached", worker.BROKEN_SECONDS, "told"]
