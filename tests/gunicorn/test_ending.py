"""The end of the arbiter in this process: the time that it has, and the hard end."""

import os
import signal
from pathlib import Path

import pytest
from gunicorn.pidfile import Pidfile

from dockerflow_django.gunicorn.arbiter import Arbiter as OurArbiter
from dockerflow_django.gunicorn.ending import SPARE_SECONDS
from tests.gunicorn.test_arbiter import PID


@pytest.mark.parametrize(("problem", "code"), [("no module named shop", 1), ("", 0)])
@pytest.mark.parametrize("has_pidfile", [True, False])
def test_hard_end(
    hooks: OurArbiter,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    problem: str,
    code: int,
    has_pidfile: bool,
) -> None:
    """The hard end kills every worker, one that has just ended too, and finishes what is open."""
    killed: list[tuple[int, int]] = []
    told: list[str] = []
    codes: list[int] = []

    def kill(pid: int, number: int) -> None:
        killed.append((pid, number))
        if pid == PID:
            raise ProcessLookupError

    monkeypatch.setattr(os, "_exit", codes.append)
    monkeypatch.setattr(hooks.container, "stop", told.append)
    if has_pidfile:
        hooks.server.pidfile = Pidfile(str(tmp_path / "pid"))
        hooks.server.pidfile.create(os.getpid())
    hooks.server.WORKERS = {PID: None, PID + 1: None}
    hooks.container.pool.problem = problem
    with monkeypatch.context() as patch:
        patch.setattr(os, "kill", kill)
        hooks.ending.end_at_once()
    assert killed == [(PID, signal.SIGKILL), (PID + 1, signal.SIGKILL)]
    assert not (tmp_path / "pid").exists()
    assert (told, codes) == ([problem], [code])


def test_time_of_a_reload(hooks: OurArbiter) -> None:
    """A reload in the drain has its own time on top; the graceful timeout counts from the stop."""
    graceful = hooks.server.cfg.graceful_timeout
    settings = hooks.container.settings
    seen: list[float | None] = []

    def note(graceful: bool = True) -> None:
        timer = hooks.ending._timer
        seen.append(timer and timer.interval)

    hooks.server.reload = hooks.server.stop = note
    hooks.take_over()
    hooks.server.reload()
    hooks.server.stop()
    assert seen == [None, None]  # nobody has asked it to end
    hooks.ending._end_at_latest(1)
    hooks.server.reload()
    hooks.server.stop()
    reload_seconds = settings.start_seconds + graceful
    assert seen[2:] == [
        settings.drain_seconds + graceful + SPARE_SECONDS + reload_seconds,
        graceful + SPARE_SECONDS,
    ]
