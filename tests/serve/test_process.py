"""The start of a worker's process, and what is left of one that fails: nothing."""

import errno
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dockerflow_django.serve import process
from dockerflow_django.serve.process import Process, try_fork

# The child needs none of this process's threads.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)


def descriptors() -> int:
    """Return how many are open; garbage of other tests may be closed at any time."""
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> set[int]:
    """Return the pids of this process's children, zombies among them."""
    return {child.pid for child in psutil.Process().children()}


def test_fork() -> None:
    """A fork that is possible leaves no process and no descriptor."""
    before, others = descriptors(), children()
    try_fork()
    assert descriptors() <= before
    assert children() == others


def test_fork_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fork that is refused raises, and leaves no descriptor: `multiprocessing` would."""

    def refuse() -> int:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", refuse)
    before = descriptors()
    with pytest.raises(BlockingIOError):
        try_fork()
    assert descriptors() <= before


def test_fork_without_an_input() -> None:
    """A process whose standard input is closed can fork as any other."""
    code = "import os; from dockerflow_django.serve.process import try_fork as fork; "
    code += "os.close(0); fork()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_fork_that_hangs(monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that does not end, as in a lock that another thread held, is killed and told of."""

    def hang(status: int) -> None:
        time.sleep(20)
        end(status)

    end = os._exit
    monkeypatch.setattr(os, "_exit", hang)
    monkeypatch.setattr(process, "FORK_SECONDS", 0.2)
    before, others = descriptors(), children()
    with pytest.raises(TimeoutError, match="a forked process hangs"):
        try_fork()
    assert descriptors() <= before
    assert children() == others


def test_process_without_a_watcher() -> None:
    """A process that has been forked, and cannot be watched, is ended."""
    worker = Process.__new__(Process)
    worker.inner = multiprocessing.get_context("fork").Process(target=time.sleep, args=(60,))
    worker.abandon()  # before its start there is nothing to end
    worker.inner.start()
    worker.abandon()
    assert worker.inner.exitcode == -9


@pytest.mark.parametrize(
    ("end", "said"),
    [
        (lambda: os._exit(3), "exit status 3"),
        (lambda: os.kill(os.getpid(), signal.SIGKILL), "killed by SIGKILL"),
    ],
)
def test_how_a_worker_ended(end: Callable[[], None], said: str) -> None:
    """The end of a worker is told by its status, or by the signal that ended it."""
    worker = Process.__new__(Process)
    worker.inner = multiprocessing.get_context("fork").Process(target=end)
    worker.inner.start()
    worker.inner.join(10)
    assert worker.said == said
