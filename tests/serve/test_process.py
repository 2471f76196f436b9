"""The start of a worker's process, and what is left of one that fails: nothing."""

import errno
import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from dockerflow_django.serve.process import Process, try_fork


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_fork() -> None:
    """A fork that is possible leaves no process and no descriptor."""
    before = descriptors()
    try_fork()
    assert descriptors() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)


def test_fork_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork that is refused raises, and leaves no descriptor: `multiprocessing` would."""

    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    before = descriptors()
    with pytest.raises(BlockingIOError):
        try_fork()
    assert descriptors() == before


def test_process_without_a_watcher() -> None:
    """A process that has been forked, and cannot be watched, is ended."""
    process = Process.__new__(Process)
    process.inner = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    process.abandon()  # before its start there is nothing to end
    process.inner.start()
    process.abandon()
    assert process.inner.exitcode == -9


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os._exit(3), "exit status 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
    ],
)
@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_how_a_worker_ended(end: Callable[[], None], said: str) -> None:
    """The end of a worker is told by its status, or by the signal that ended it."""
    process = Process.__new__(Process)
    process.inner = multiprocessing.get_context("fork").Process(target=end)
    process.inner.start()
    process.inner.join(10)
    assert process.said == said
