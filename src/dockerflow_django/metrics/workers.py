"""Many processes: each keeps its values in a folder, ``PROMETHEUS_MULTIPROC_DIR``.

Counters and histograms of a process that has died stay, so that no sum ever falls. Its gauges go:
by `mark_dead`, which a parent calls; by the process itself when it ends; and by `sweep`, with every
scrape of ours, for one that was killed. The folder belongs to one container.
"""

import atexit
import logging
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from dockerflow_django._state import keeps

if TYPE_CHECKING:
    from dockerflow_django.metrics.disk_space import Losses

__all__ = ["mark_dead", "prepare_folder"]

# A file of values doubles when it is full: in a project of 600 views from two MiB to four.
LEAST_FREE_BYTES = 4 * 2**20

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

logger = logging.getLogger("dockerflow_django")

_LIVE_GAUGES = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


def folder() -> Path | None:
    """Return the folder of the values, None if there is but one process."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def survive_full_disk() -> None:
    """Keep this process from being killed if the folder's file system is full.

    Call it before anything is measured. Nothing is imported if there is no folder.
    """
    if folder() is not None:
        from dockerflow_django.metrics import disk_space

        disk_space.install()


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
    """Say once that the folder's file system is nearly full, and once that values are lost."""
    if (values := folder()) is None:
        return
    if not _warned.is_nearly_full and (free := _free_bytes(values)) < LEAST_FREE_BYTES:
        _warned.is_nearly_full = True
        logger.warning(
            "PROMETHEUS_MULTIPROC_DIR has %.1f MiB left: when it is full, metrics are lost. "
            "Give it more, or remove labels with many values.",
            free / 2**20,
        )
    if not _warned.has_lost and (reason := _losses().reason):
        _warned.has_lost = True
        logger.error(
            "PROMETHEUS_MULTIPROC_DIR takes no more values: %s. Those of new labels are lost until "
            "this process is replaced.%s",
            reason,
            f" {advice}" if (advice := _losses().advice) else "",
        )


def _free_bytes(values: Path) -> float:
    try:
        status = os.statvfs(values)
    except OSError:
        return float("inf")
    return status.f_bavail * status.f_frsize


def _losses() -> "Losses":
    from dockerflow_django.metrics.disk_space import losses

    return losses


class _Warned:
    is_nearly_full = False
    has_lost = False


_warned = _Warned()


@keeps("_warned")
def _forget() -> None:
    global _warned  # noqa: PLW0603
    _warned = _Warned()


def join() -> None:
    """Be one of the processes until this one ends in order; make the folder if it is missing."""
    if (values := folder()) is not None:
        values.mkdir(parents=True, exist_ok=True)
        atexit.register(_mark_own_dead)


def _mark_own_dead() -> None:
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
