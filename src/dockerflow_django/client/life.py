"""Which life a process belongs to: the boot of its machine, and when it started after that.

Every function answers `UNKNOWN` if the system does not tell: there is no ``/proc`` outside Linux.
"""

from __future__ import annotations

import time
from pathlib import Path

BOOT_ID_FILE = "/proc/sys/kernel/random/boot_id"
UNKNOWN = "-"
_ENDED = (b"Z", b"X", b"x")


def boot_id() -> str:
    """Return the id of this boot."""
    try:
        return Path(BOOT_ID_FILE).read_text("ascii").strip()
    except (OSError, ValueError):
        return UNKNOWN


def started_at(pid: int) -> str:
    """Return when the process started, in clock ticks after the boot; empty if it has ended.

    A process that has ended and is not yet reaped has ended.
    """
    try:
        # The name, in brackets, may itself hold some; the state is behind it (proc(5)).
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except ProcessLookupError:
        return ""
    except OSError:
        return "" if Path("/proc/self/stat").exists() else UNKNOWN
    return "" if not fields or fields[0] in _ENDED else fields[19].decode()


def seconds_since_boot() -> float:
    """Return the time on a clock that every process of this boot shares and no date change moves.

    It goes on while the machine sleeps, if the system has such a clock.
    """
    clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
    return time.clock_gettime(clock)
