"""The workers in the arbiter: one that cannot be forked, one that is spared, one that is killed."""

import errno
import os
import signal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.arbiter import Arbiter
from gunicorn.workers.sync import SyncWorker

from dockerflow_django import gunicorn
from dockerflow_django.gunicorn.arbiter import Arbiter as OurArbiter
from dockerflow_django.supervisor.channel import WorkerChannel

PID = 4_194_305  # above the highest that Linux gives


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    """Note the signals that would be sent."""
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: found.append((pid, number)))
    return found


def refuse(*args: Any) -> None:
    raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")


@pytest.mark.parametrize(
    ("workers", "outlook"), [(0, ". Trying again."), (1, ": the old one stays.")]
)
def test_worker_that_cannot_be_forked(
    hooks: OurArbiter, log: Path, monkeypatch: pytest.MonkeyPatch, workers: int, outlook: str
) -> None:
    """Of a worker that could not be forked nothing is kept, and the arbiter goes on."""
    files = []

    def pre_fork(server: Any, worker: Any) -> None:
        gunicorn.pre_fork(server, worker)
        files.append(worker.tmp)

    monkeypatch.setattr(gunicorn, "_arbiter", hooks)
    monkeypatch.setattr(os, "fork", refuse)
    hooks.server.cfg.set("pre_fork", pre_fork)
    hooks.server.WORKERS = dict.fromkeys(range(PID, PID + workers))
    hooks.take_over()
    assert hooks.server.spawn_worker() is None
    assert hooks.container.pool.workers == []
    with pytest.raises(ValueError, match="closed file"):
        files[0].fileno()
    said = f"A worker cannot be started: Resource temporarily unavailable{outlook}\n"
    assert said in log.read_text()


def test_worker_that_cannot_be_made(hooks: OurArbiter, log: Path) -> None:
    """A worker that fails before it is known is no more than a line, and costs no other worker."""
    hooks.spawning = known = hooks.container.pool.add(1)
    hooks.take_over()
    hooks.server.worker_class = refuse
    assert hooks.server.spawn_worker() is None
    assert hooks.container.pool.workers == [known]
    assert "Resource temporarily unavailable. Trying again." in log.read_text()


def test_only_term_spares_a_worker(hooks: OurArbiter, sent: list[tuple[int, int]]) -> None:
    """SIGTERM waits for a successor; a signal that ends a frozen worker is sent at once."""
    known = hooks.container.pool.add(1)
    known.serves = True
    hooks.server.WORKERS = {PID: SimpleNamespace(dockerflow=known)}
    hooks.server.LISTENERS = [object()]
    hooks.take_over()
    hooks.server.kill_worker(PID, signal.SIGTERM)
    assert (sent, known.stops) == ([], False)
    hooks.server.kill_worker(PID, signal.SIGABRT)
    assert (sent, known.stops) == ([(PID, signal.SIGABRT)], False)


def test_term_at_the_end_spares_nobody(hooks: OurArbiter, sent: list[tuple[int, int]]) -> None:
    """Without listeners the arbiter ends, and no worker waits for a successor."""
    known = hooks.container.pool.add(1)
    known.serves = True
    hooks.server.WORKERS = {PID: SimpleNamespace(dockerflow=known), PID + 1: SimpleNamespace()}
    hooks.server.LISTENERS = []
    hooks.take_over()
    for pid in (PID, PID + 1):
        hooks.server.kill_worker(pid, signal.SIGTERM)
    assert sent == [(PID, signal.SIGTERM), (PID + 1, signal.SIGTERM)]
    assert known.stops


@pytest.mark.parametrize("has_port", [False, True])
def test_new_worker(
    hooks: OurArbiter, server: Arbiter, monkeypatch: pytest.MonkeyPatch, has_port: bool
) -> None:
    """A new worker closes the probe port, if there is one, and tells of its own life."""
    closed: list[bool] = []
    # The thread would end this process with the line.
    monkeypatch.setattr(WorkerChannel, "attach", lambda channel: None)
    monkeypatch.setattr(gunicorn, "_arbiter", hooks)
    if has_port:
        port: Any = SimpleNamespace(close_in_child=lambda: closed.append(True), stop=bool)
        hooks.container.probe_port = port
    worker = SyncWorker(1, os.getpid(), [], server.app, 30, server.cfg, server.log)
    gunicorn.pre_fork(server, worker)
    gunicorn.post_fork(server, worker)
    assert closed == [True] * has_port
    channel = worker.dockerflow_channel
    assert channel.is_stopping() is False
    worker.alive = False
    assert channel.is_stopping() is True
    channel.close()
    worker.tmp.close()
