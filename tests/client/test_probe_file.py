"""Judging a probe file: only one of a process that runs and says so in time passes."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from dockerflow_django.client import life, probe_file
from dockerflow_django.client.probe_file import StaleError


def write(path: Path, *, age: float = 0.0, **changed: Any) -> str:
    """Write the file of this very process, so many seconds ago, but for what is changed."""
    state = {
        "boot_id": life.boot_id(),
        "pid": os.getpid(),
        "started": life.started_at(os.getpid()),
        "time": life.seconds_since_boot() - age,
        "valid_for": 10.0,
        "probes": {"liveness": "passed", "readiness": "failed"},
        **changed,
    }
    path.write_text(json.dumps(state))
    return str(path)


def test_passes(tmp_path: Path) -> None:
    """A file that this process wrote just now passes, and the text says when and by whom."""
    said = probe_file.judge(write(tmp_path / "probes"), "liveness")
    assert said.startswith("liveness passed, stated 0.")
    assert said.endswith(f" by process {os.getpid()}")


@pytest.mark.parametrize(
    ("probe", "problem"), [("readiness", "readiness failed"), ("startup", "startup is not in it")]
)
def test_fails(tmp_path: Path, probe: str, problem: str) -> None:
    """A probe that failed, or that the file does not name, is said to be that."""
    with pytest.raises(ValueError, match=f"^{problem}, stated 0"):
        probe_file.judge(write(tmp_path / "probes"), probe)


@pytest.mark.parametrize(
    ("changed", "problem"),
    [
        ({"boot_id": "another"}, "before this machine was booted"),
        ({"started": "1"}, "has ended"),
        ({"pid": 2**22 + 1}, "has ended"),
        ({"age": 60}, "written 6.* holds for 10 s: .* stands still"),
        ({"age": -600}, "still to come"),
        ({"valid_for": 0}, "not the file of a worker"),
        ({"pid": "7"}, "not the file of a worker"),
        ({"pid": -1}, "not the file of a worker"),
        ({"time": float("nan")}, "not the file of a worker"),
        ({"time": 10**400}, "not the file of a worker"),
        ({"valid_for": 10**400}, "not the file of a worker"),
        ({"probes": []}, "not the file of a worker"),
    ],
)
def test_stale(tmp_path: Path, changed: dict[str, Any], problem: str) -> None:
    """A file of another life, of a dead or a frozen process, or of nobody, passes no probe."""
    with pytest.raises(StaleError, match=problem):
        probe_file.judge(write(tmp_path / "probes", **changed), "liveness")


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"null", b"\xff", b"[" * 4096, b"x" * 9999])
def test_garbage(tmp_path: Path, content: bytes) -> None:
    """Whatever else is in the file fails with one sentence."""
    (tmp_path / "probes").write_bytes(content)
    with pytest.raises(StaleError, match="not the file of a worker"):
        probe_file.read(str(tmp_path / "probes"))


def test_what_is_no_file(tmp_path: Path) -> None:
    """Nothing, a folder and a pipe fail at once; a pipe holds nobody up."""
    with pytest.raises(StaleError, match="no such file"):
        probe_file.read(str(tmp_path / "absent"))
    with pytest.raises(StaleError, match="it is no file"):
        probe_file.read(str(tmp_path))
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(StaleError, match="it is no file"):
        probe_file.read(str(tmp_path / "pipe"))
    with pytest.raises(StaleError, match="cannot be read: Not a directory"):
        probe_file.read("/dev/null/probes")


def test_a_zombie_has_ended(tmp_path: Path) -> None:
    """A process that has ended and that nobody has waited for runs no longer."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        started = life.started_at(child.pid)
        assert started.isdigit()
        path = write(tmp_path / "probes", pid=child.pid, started=started)
        assert probe_file.judge(path, "liveness")
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        with pytest.raises(StaleError, match="has ended"):
            probe_file.judge(path, "liveness")


def test_without_proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the system has no ``/proc`` the time alone decides."""
    monkeypatch.setattr(life, "BOOT_ID_FILE", str(tmp_path / "absent"))
    monkeypatch.setattr(life, "PROC", str(tmp_path / "absent"))
    assert life.boot_id() == life.started_at(1) == life.UNKNOWN
    path = write(tmp_path / "probes", boot_id=life.UNKNOWN, started=life.UNKNOWN)
    assert probe_file.judge(path, "liveness")
