"""Which life a process belongs to: the boot of its machine, and when it started after that.

Every function answers `UNKNOWN` if the system does not tell: there is no ``/proc`` outside Linux.
"""

from __future__ import annotations

import os
import time

BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
PROC = "/proc"
UNKNOWN = "-"

_MOST_BYTES = 4096
_ENDED = (b"Z", b"X", b"x")


def boot_id() -> str:
    """Return the id of this boot."""
    try:
        return _content(BOOT_ID_FILE).decode("ascii").strip()
    except (OSError, ValueError):
        return UNKNOWN


def started_at(pid: int) -> str:
    """Return when the process started, in clock ticks after the boot; empty if it has ended.

    A process that has ended and is not yet reaped has ended.
    """
    try:
        # The name, in brackets, may itself hold some; the state is behind it (proc(5)).
        fields = _content(f"{PROC}/{pid}/stat").rpartition(b")")[2].split()
    except OSError:
        return "" if os.path.exists(f"{PROC}/self") else UNKNOWN  # noqa: PTH110 - pathlib is slow
    return "" if not fields or fields[0] in _ENDED else fields[19].decode()


def seconds_since_boot() -> float:
    """Return the time on a clock that every process of this boot shares and no date change moves.

    It goes on while the machine sleeps, if the system has such a clock.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)


def _content(path: str) -> bytes:
    # Not by pathlib: importing it would cost a health check more than all the rest.
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        return os.read(descriptor, _MOST_BYTES)
    finally:
        os.close(descriptor)
