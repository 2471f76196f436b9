"""The output of a subprocess, line by line, as it comes."""

import re
import threading
import time
from typing import IO, NamedTuple


class Line(NamedTuple):
    """One line of output, without its end."""

    stream: str
    text: str


class Lines:
    """Lines of several streams, in the order of their arrival."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._arrived = threading.Condition()
        self._readers: list[threading.Thread] = []

    def read(self, name: str, stream: IO[bytes]) -> None:
        """Read ``stream`` until its end, in a thread of its own."""
        reader = threading.Thread(target=self._read, args=(name, stream), daemon=True)
        self._readers.append(reader)
        reader.start()

    def texts(self, stream: str | None = None, *, after: int = 0) -> list[str]:
        """Return what has come so far on ``stream`` (on any), from the line number ``after``."""
        with self._arrived:
            return [line.text for line in self._lines[after:] if stream in (None, line.stream)]

    def __len__(self) -> int:
        return len(self._lines)

    def wait_for(
        self, pattern: str, *, timeout: float = 20.0, after: int = 0, stream: str | None = None
    ) -> re.Match[str]:
        """Wait for a line in which ``pattern`` is found, and return the match."""
        end = time.monotonic() + timeout
        with self._arrived:
            while True:
                for line in self._lines[after:]:
                    after += 1
                    found = re.search(pattern, line.text)
                    if found and stream in (None, line.stream):
                        return found
                if not self._arrived.wait(end - time.monotonic()):
                    raise AssertionError(f"no line like {pattern!r} in {timeout} s:\n{self}")

    def join(self, timeout: float) -> None:
        """Wait until every stream has ended: what a dead process wrote is all here then."""
        end = time.monotonic() + timeout
        for reader in self._readers:
            reader.join(max(0.0, end - time.monotonic()))

    def __str__(self) -> str:
        return "\n".join(f"  {stream}: {text}" for stream, text in self._lines)

    def _read(self, name: str, stream: IO[bytes]) -> None:
        with stream:
            for line in stream:
                text = line.decode(errors="backslashreplace").rstrip("\r\n")
                with self._arrived:
                    self._lines.append(Line(name, text))
                    self._arrived.notify_all()
