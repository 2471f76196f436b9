"""The server's start: what is missing is told in a line, and nothing is left running."""

import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dockerflow_django.serve.preparation import FailedError
from dockerflow_django.serve.starting import WorkerStartError
from tests.serve.building import build


def test_file_that_cannot_be_written(tmp_path: Path) -> None:
    """What the system refuses to Granian's start is told by the system's own words."""
    server = build("--pid-file", str(tmp_path / "missing" / "pid"))
    with pytest.raises(FailedError) as caught:
        server.startup(None, None)
    assert str(caught.value) == "the server cannot be started: No such file or directory"
    assert server.wrks == []


def test_second_worker_that_cannot_be_started() -> None:
    """If one of the first workers cannot be started, those before it are killed."""
    server = build("--workers", "3")
    killed: list[int] = []

    def start(idx: int, *args: Any) -> Any:
        if idx == 2:
            raise WorkerStartError("Worker 3 cannot be started: Cannot allocate memory")
        return SimpleNamespace(kill=lambda: killed.append(idx))

    server._start_worker = start
    with pytest.raises(FailedError, match="Worker 3 cannot be started: Cannot allocate memory"):
        server._spawn_workers(None, None)
    assert killed == [0, 1]


def test_refusal_without_words(tmp_path: Path) -> None:
    """What Granian refuses by the class of an exception alone is told by its name."""
    pid_file = tmp_path / "pid"
    pid_file.write_text("nonsense")
    server = build("--pid-file", str(pid_file))
    with pytest.raises(FailedError) as caught:
        server.serve()
    gc.unfreeze()
    assert str(caught.value) == "PidFileError"
