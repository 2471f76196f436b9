"""Many processes: each keeps its values in a folder, ``PROMETHEUS_MULTIPROC_DIR``.

Counters and histograms of a process that has died stay, so that no sum ever falls. Its gauges go:
by `mark_dead`, which a parent calls; by the process itself when it ends; and by `sweep`, with every
scrape of ours, for one that was killed. The folder belongs to one container.
"""

import atexit
import os
import re
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"

_LIVE_GAUGES = re.compile(r"gauge_live[a-z]*_(\d+)\.db")


def folder() -> Path | None:
    """Return the folder of the values, None where there is but one process."""
    name = os.environ.get(VARIABLE)
    return Path(name) if name else None


def prepare_folder() -> None:
    """Make the folder, and empty it of an earlier life's values: before the first worker starts."""
    if (values := folder()) is None:
        return
    values.mkdir(parents=True, exist_ok=True)
    for file in values.glob("*.db"):
        file.unlink(missing_ok=True)


def mark_dead(pid: int) -> None:
    """Take the gauges of a process that has ended out of every later scrape.

    That is what prometheus_client's `mark_process_dead` does, but for a file that somebody else has
    removed meanwhile, and without importing the library in a process that measures nothing.
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


def join() -> None:
    """Be one of the processes until this one ends in order; the folder is made where need be."""
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
