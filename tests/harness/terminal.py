"""A shell that follows a document: it is given one command after the other."""

import re
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from queue import Empty, Queue
from threading import Thread

import psutil

from tests.harness.closing import Closing

_MARK = "__done__"


class Terminal(Closing):
    """A bash with job control in a folder; what its commands print comes back."""

    def __init__(self, folder: Path, env: dict[str, str]) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc", "--noprofile"],
            cwd=folder,
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._lines: Queue[str] = Queue()
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()
        # Each job gets a process group of its own, as at a prompt.
        self.run("set -m")

    def run(self, command: str, timeout: float = 120) -> tuple[str, int]:
        """Run a command to its end, or start it in the background; return output and status."""
        assert self._bash.stdin is not None
        self._bash.stdin.write(f"{command}\nstatus=$?; echo; echo {_MARK} $status\n")
        self._bash.stdin.flush()
        deadline = time.monotonic() + timeout
        printed: list[str] = []
        while not (line := self._next(deadline, command, printed)).startswith(_MARK):
            printed.append(line)
        return "\n".join(printed).rstrip("\n"), int(line.removeprefix(_MARK))

    def _next(self, deadline: float, command: str, printed: list[str]) -> str:
        try:
            return self._lines.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise AssertionError(f"{command!r} has not ended: {printed}") from None

    def _read(self) -> None:
        assert self._bash.stdout is not None
        for line in self._bash.stdout:
            self._lines.put(line.rstrip("\n"))

    def close(self) -> None:
        """End the shell and whatever it has started."""
        started = psutil.Process(self._bash.pid).children(recursive=True)
        for process in started:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        self._bash.kill()
        self._bash.wait()
        psutil.wait_procs(started, timeout=10)
        self._reader.join()
        for stream in (self._bash.stdin, self._bash.stdout):
            if stream is not None:
                stream.close()


def matches(shown: str, printed: str) -> bool:
    """Tell whether a document shows what was printed; dots stand for anything."""
    parts = shown.split("...")
    return bool(re.fullmatch(".*".join(map(re.escape, parts)), printed, re.DOTALL))
