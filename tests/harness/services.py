"""A private instance of a backing service: stopped, frozen, killed and started at will."""

import os
import pwd
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP, SIGTERM, Signals
from tempfile import TemporaryDirectory
from typing import ClassVar, Self

import psutil

from tests.harness.closing import Closing
from tests.harness.ports import Port
from tests.harness.processes import Process
from tests.harness.programs import PROGRAM_PATH, find_program
from tests.harness.waiting import wait_until


class Service(Closing, ABC):
    """One instance on a port and in a folder of its own, gone with all it wrote at the end.

    The folder lies directly in the system's temporary folder: the one that pytest gives is closed
    to the service's own user.
    """

    # Without these it is not even begun.
    programs: ClassVar[Sequence[str]] = ()
    user: ClassVar[str] = "nobody"
    stop_signal: ClassVar[Signals] = SIGTERM
    immediate_signal: ClassVar[Signals] = SIGKILL

    def __init__(self) -> None:
        for name in self.programs:
            find_program(name)
        self._temporary = TemporaryDirectory(prefix=f"{type(self).__name__.lower()}-")
        self.folder = Path(self._temporary.name)
        self._reserved = Port()
        self.port = self._reserved.number
        self.process: Process | None = None
        # These programs refuse root, or change to a user of their own.
        self.runs_as = self.user if os.geteuid() == 0 else None
        os.chown(self.folder, pwd.getpwnam(self.runs_as).pw_uid if self.runs_as else -1, -1)

    def prepare(self) -> None:
        """Make what the first start needs, where that is anything."""

    @abstractmethod
    def command(self) -> Sequence[str | Path]:
        """Return the command that runs the service in the foreground."""

    @abstractmethod
    def answers(self) -> bool:
        """Ask whether the service is ready for clients."""

    def start(self, timeout: float = 20.0) -> None:
        """Start, and return when clients are answered."""
        self.process = self.run(*self.command())
        try:
            wait_until(self.answers, timeout=timeout, what=f"{type(self).__name__} answers")
        except AssertionError as error:
            error.add_note(str(self.process.output))
            raise

    def stop(self, *, immediate: bool = False) -> None:
        """Stop: clients are refused from now on. ``immediate`` is as a crash."""
        if self.process is not None:
            self.process.stop(self.immediate_signal if immediate else self.stop_signal)
            self.process.kill()
            self.process = None

    def restart(self) -> None:
        self.stop(immediate=True)
        self.start()

    def freeze(self) -> None:
        """Stop every process of it in its tracks: connections are accepted, nobody answers."""
        wait_until(self._is_frozen, what="every thread has stopped")

    def thaw(self) -> None:
        self._signal_family(SIGCONT)

    def run(self, *argv: str | Path) -> Process:
        """Run a program as the service's user, in its folder."""
        return Process(argv, env=self.env(), cwd=self.folder, user=self.runs_as)

    def env(self) -> dict[str, str]:
        """Return the whole environment of the service's programs."""
        return {"PATH": PROGRAM_PATH, "LC_ALL": "C"}

    def run_to_end(self, *argv: str | Path) -> list[str]:
        """Run a program to its end, which must be a success; return the lines of its output."""
        with self.run(*argv) as process:
            ended = process.wait(timeout=60)
            assert ended.code == 0, str(process.output)
            return process.lines("stdout")

    def close(self) -> None:
        self.thaw()
        self.stop(immediate=True)
        self._reserved.close()
        self._temporary.cleanup()

    def __enter__(self) -> Self:
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def _is_frozen(self) -> bool:
        """Signal again whoever was started meanwhile; on a busy machine a thread stops late."""
        self._signal_family(SIGSTOP)
        return {state for process in self._family() for state in _thread_states(process)} == {"T"}

    def _signal_family(self, number: Signals) -> None:
        """Signal the parent first to stop it starting more, last to let it find all awake."""
        family = self._family()
        for process in family if number is SIGSTOP else reversed(family):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _family(self) -> list[psutil.Process]:
        return self.process.family() if self.process is not None else []


def _thread_states(process: psutil.Process) -> Iterator[str]:
    for path in Path(f"/proc/{process.pid}/task").glob("*/stat"):
        with suppress(OSError):  # it has ended since it was listed
            # The state follows the name, in brackets, which may itself hold some (proc(5)).
            yield path.read_text().rpartition(")")[2].split()[0]
