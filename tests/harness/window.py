"""A terminal of so many columns, in which a program thinks that a person looks at it."""

import errno
import fcntl
import os
import re
import struct
import subprocess
import termios
import time
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_SECONDS = 60
ROWS = 24


def run_in_window(
    command: Sequence[str], *, folder: Path, env: dict[str, str], columns: int
) -> tuple[str, int]:
    """Run a program to its end; return what it wrote there, without colours, and its status."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, columns, 0, 0))
    with subprocess.Popen(
        command, cwd=folder, env=env, stdin=theirs, stdout=theirs, stderr=theirs
    ) as process:
        os.close(theirs)
        try:
            shown = _read(ours)
            status = process.wait(TIMEOUT_SECONDS)
        finally:
            process.kill()
            os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", shown).replace("\r\n", "\n"), status


def _read(terminal: int) -> str:
    """Read until no process has the other side any more; Linux calls that an error."""
    os.set_blocking(terminal, False)
    deadline, data = time.monotonic() + TIMEOUT_SECONDS, b""
    while time.monotonic() < deadline:
        try:
            data += os.read(terminal, 65_536)
        except BlockingIOError:
            time.sleep(0.01)
        except OSError as error:
            if error.errno != errno.EIO:
                raise
            return data.decode()
    raise AssertionError(f"the program has not ended: {data.decode()!r}")
