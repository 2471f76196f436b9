"""A subprocess with everything it has started: watched, stopped, and gone at the end."""

import os
import pwd
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGTERM, Signals
from typing import NamedTuple, TypeVar

import psutil

from tests.harness.closing import Closing
from tests.harness.lines import Lines
from tests.harness.waiting import wait_until

T = TypeVar("T")


class Exit(NamedTuple):
    """How a process ended: its exit code (negative: the signal), and after how many seconds."""

    code: int
    seconds: float


class Process(Closing):
    """One program in a session of its own, its output read as it comes.

    As a context manager it is killed at the end, with its children, whatever has happened.
    """

    # For the rest of the output after the end; a child that has outlived it may keep that open.
    output_seconds = 10.0

    def __init__(
        self,
        argv: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        user: str | None = None,
    ) -> None:
        self._popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=env,
            cwd=cwd,
            user=user,
            group=None if user is None else pwd.getpwnam(user).pw_gid,
            extra_groups=None if user is None else [],
        )
        self.pid = self._popen.pid
        self._process = psutil.Process(self.pid)
        self.output = Lines()
        assert self._popen.stdout
        assert self._popen.stderr
        self.output.read("stdout", self._popen.stdout)
        self.output.read("stderr", self._popen.stderr)
        self.lines = self.output.texts
        self.wait_for_line = self.output.wait_for

    def running(self) -> bool:
        return self._popen.poll() is None

    def send_signal(self, number: Signals) -> None:
        """Send a signal to the process alone."""
        os.kill(self.pid, number)

    def send_signal_to_group(self, number: Signals) -> None:
        """Send a signal to the process and its group, as a terminal or a supervisor does."""
        os.killpg(self.pid, number)

    def wait(self, timeout: float = 30.0) -> Exit:
        """Wait for the end of the process and of its output; fail where it outlives ``timeout``."""
        begin = time.monotonic()
        try:
            code = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {timeout} s:\n{self.output}") from None
        seconds = time.monotonic() - begin
        self.output.join(timeout=self.output_seconds)
        return Exit(code, seconds)

    def stop(self, number: Signals = SIGTERM, timeout: float = 30.0) -> Exit:
        """Send a signal and wait for the end."""
        self.send_signal(number)
        return self.wait(timeout)

    def family(self) -> list[psutil.Process]:
        """Return the process, its descendants, and whoever else is of its session.

        The session finds what has outlived its parent, the descent what has left the session.
        """
        found = {p.pid: p for p in (*_descent(self._process), *_session(self.pid))}
        return [process for process in found.values() if is_alive(process)]

    def threads(self) -> int:
        """Return the number of threads of the whole family, the servers' own included."""
        return sum(of_living(psutil.Process.num_threads, self.family()))

    def rss(self) -> int:
        """Return the resident memory of the whole family, in bytes."""
        return sum(info.rss for info in of_living(psutil.Process.memory_info, self.family()))

    def kill(self) -> None:
        """End the whole family at once, frozen members too."""
        family = self.family()
        of_living(psutil.Process.kill, family)
        self._popen.wait(timeout=20)
        wait_until(lambda: not any(map(is_alive, family)), what="a killed family is gone")
        self.output.join(timeout=1)

    def close(self) -> None:
        self.kill()


def is_alive(process: psutil.Process) -> bool:
    """Whether the process still runs; a zombie does not, whenever its parent may bury it."""
    return of_living(psutil.Process.status, [process]) not in ([], [psutil.STATUS_ZOMBIE])


def _descent(process: psutil.Process) -> Iterator[psutil.Process]:
    with suppress(psutil.NoSuchProcess):
        yield from [process, *process.children(recursive=True)]


def _session(leader: int) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        with suppress(ProcessLookupError):
            if os.getsid(process.pid) == leader:
                yield process


def of_living(ask: Callable[[psutil.Process], T], processes: list[psutil.Process]) -> list[T]:
    """Ask those processes that are still there when asked."""
    answers = []
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            answers.append(ask(process))
    return answers


def run_on_full_disk(code: str) -> subprocess.CompletedProcess[str]:
    """Run the code in an interpreter that keeps what it prints, and cannot write it at the end."""
    with Path("/dev/full").open("w") as full:
        return subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
