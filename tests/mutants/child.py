"""Processes that are forked: within limits, with a result, and with a set for all."""

import ctypes
import os
import resource
import sys
import time
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from signal import SIGKILL
from tempfile import TemporaryFile
from typing import Any

PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def in_child(
    work: Callable[[], Any], seconds: int, step: Callable[[], object] = lambda: None
) -> Any:
    """Return what `work` returns in a process of its own.

    ChildProcessError says that there is no result: what the child ran has ended it, or has not
    ended in that time, of which nothing passes while all processes are stopped. It is the time for
    each `step`, if that tells in this process how far the child is.
    """
    receiver, sender = Pipe(duplex=False)
    pid = fork(lambda: sender.send(work()))
    sender.close()
    try:
        left, was = seconds, step()
        while not receiver.poll(1):
            now = step()
            left, was = left - 1 if now == was else seconds, now
            if not left:
                raise ChildProcessError("no result in time")
        return receiver.recv()
    except EOFError:
        raise ChildProcessError("ended without a result") from None
    finally:
        os.kill(pid, SIGKILL)
        os.waitpid(pid, 0)
        receiver.close()


def fork(work: Callable[[], object]) -> int:
    """Return the id of a new process, which ends after the work, or with this process."""
    parent = os.getpid()
    if pid := os.fork():
        return pid
    try:
        _end_with(parent)
        work()
    except Exception:
        traceback.print_exc()
    finally:
        os._exit(0)


def _end_with(parent: int) -> None:
    """Have this process killed as soon as its parent has ended, where the system can do that."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, SIGKILL)
        if os.getppid() != parent:
            os._exit(0)


def limit_processor_time(seconds: float) -> None:
    """Have this process end once it has used so much of the processor from now on."""
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (int(time.process_time() + seconds) + 1, hard))


class SharedSet(set[str]):
    """A set of names to which a process that is forked later adds as well."""

    def __init__(self) -> None:
        super().__init__()
        self._file = TemporaryFile(buffering=0)  # noqa: SIM115 - see `close`

    def add(self, name: str) -> None:
        if name not in self:
            super().add(name)
            self._file.write(f"{name}\n".encode())

    def take(self) -> set[str]:
        """Return what every process has added, and forget it."""
        self._file.seek(0)
        names = set(self._file.read().decode().splitlines())
        self._file.seek(0)
        self._file.truncate()
        self.clear()
        return names

    def close(self) -> None:
        """Give back the file that holds them."""
        self._file.close()
