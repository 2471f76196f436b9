"""A log that nobody reads."""

import contextlib
import os
from pathlib import Path


class Sink:
    """A pipe for a server's output, which this test reads, leaves alone, or closes."""

    def __init__(self, path: Path) -> None:
        os.mkfifo(path)
        self._reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self._writer = os.open(path, os.O_WRONLY | os.O_NONBLOCK)
        self.before = ["sh", "-c", f'exec "$@" >"{path}" 2>&1', "sh"]

    def fill(self) -> None:
        """Leave no room: whoever writes waits."""
        for size in (4096, 1):
            with contextlib.suppress(BlockingIOError):
                for _ in range(10**6):
                    os.write(self._writer, b"x" * size)

    def shut(self) -> None:
        """Have no reader: whoever writes is told so."""
        os.close(self._writer)
        os.close(self._reader)
        self._reader = self._writer = -1

    def close(self) -> None:
        if self._reader != -1:
            self.shut()
