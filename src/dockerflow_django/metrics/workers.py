"""Many processes: each keeps its values in a folder, ``PROMETHEUS_MULTIPROC_DIR``.

Counters and histograms of a process that has died stay, so that no sum ever falls. Its gauges go:
by `mark_dead`, which a parent calls; by the process itself when it ends; and by `sweep`, with every
scrape of ours, for one that was killed. The folder belongs to one container.
"""

import atexit
import logging
import os
import re
from contextlib import suppress
from pathlib import Path

from dockerflow_django._state import keeps

__all__ = ["mark_dead", "prepare_folder"]

# A file of values doubles when it is full: in a project of 600 views from two MiB to four.
ROOM_BYTES = 4 * 2**20

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

logger = logging.getLogger("dockerflow_django")

_LIVE_GAUGES = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


def folder() -> Path | None:
    """Return the folder of the values, None if there is but one process."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def prepare_folder() -> None:
    """Make the folder of ``PROMETHEUS_MULTIPROC_DIR``, and remove the values of an earlier life.

    Call it before the first worker starts. Without the variable it does nothing.
    """
    if (values := folder()) is None:
        return
    values.mkdir(parents=True, exist_ok=True)
    for file in values.glob("*.db"):
        file.unlink(missing_ok=True)


def mark_dead(pid: int) -> None:
    """Remove the gauges of a process that has ended, so that no later scrape has them.

    It does what prometheus_client's ``mark_process_dead`` does, bears a file that is gone already,
    and does not import that library.

    :param pid: the process id.
    """
    if (values := folder()) is not None:
        for file in values.glob(f"gauge_live*_{pid}.db"):
            file.unlink(missing_ok=True)


def sweep() -> None:
    """Do so for every process that is no more."""
    if (values := folder()) is None:
        return
    pids = {int(found[1]) for file in values.iterdir() if (found := _LIVE_GAUGES.match(file.name))}
    for pid in pids:
        if not _is_alive(pid):
            mark_dead(pid)


def warn_if_full() -> None:
    """Say once if the folder's file system has no room for another file of values.

    The files are mapped into memory: a process that writes to a page for which there is no room is
    killed by SIGBUS, without a word.
    """
    global _has_warned  # noqa: PLW0603
    if _has_warned or (values := folder()) is None:
        return
    with suppress(OSError):
        status = os.statvfs(values)
        free = status.f_bavail * status.f_frsize
        if free < ROOM_BYTES:
            _has_warned = True
            logger.error(
                "PROMETHEUS_MULTIPROC_DIR has %.1f MiB left: a process that finds it full is "
                "killed. Give it more, or remove labels with many values.",
                free / 2**20,
            )


_has_warned = False


@keeps("_has_warned")
def _forget() -> None:
    global _has_warned  # noqa: PLW0603
    _has_warned = False


def join() -> None:
    """Be one of the processes until this one ends in order; make the folder if it is missing."""
    if (values := folder()) is not None:
        values.mkdir(parents=True, exist_ok=True)
        atexit.register(_leave)


def _leave() -> None:
    # A forked child inherits this, and has a number of its own.
    mark_dead(os.getpid())


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
