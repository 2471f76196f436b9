"""Judge the file in which a background worker states the outcomes of its probes.

The file names the process that wrote it, the life that it belongs to, and for how long what it says
holds. One of a worker that is dead, frozen or of an earlier life never passes.
"""

from __future__ import annotations

import os
import stat

from dockerflow_django.client.life import boot_id, seconds_since_boot, started_at

PROBES = ("liveness", "readiness", "startup")
PASSED = "passed"
DEFAULT_PROBE = "liveness"

MOST_BYTES = 4096
# Whole numbers have no end in JSON, and above 10**308 no float.
MOST_SECONDS = 1e15
# What two clocks of one machine may differ by: none, but for rounding.
TOLERANCE_SECONDS = 1.0

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


class StaleError(Exception):
    """The file says nothing about a process that runs; the text says why."""


def judge(path: str, probe: str) -> str:
    """Return when and by whom it was stated that the probe passes.

    Raises `StaleError` if the file is not a worker's that runs, and `ValueError` if the probe
    failed; the text of both says why.
    """
    state = read(path)
    age = seconds_since_boot() - state["time"]
    said = f"{age:.1f} s ago by process {state['pid']}"
    outcome = state["probes"].get(probe)
    if outcome != PASSED:
        raise ValueError(f"{probe} {outcome or 'is not in it'}, stated {said}")
    return f"{probe} {PASSED}, stated {said}"


def read(path: str) -> dict[str, Any]:
    """Return what a process that runs has stated within its own time; raise `StaleError` if none.

    >>> read("/run/worker/probes")  # doctest: +SKIP
    {"boot_id": "…", "pid": 7, "started": "4711", "time": 92.5, "valid_for": 10.0,
     "probes": {"liveness": "passed", "readiness": "failed", "startup": "passed"}}
    """
    state = _parse(_content(path))
    if state["boot_id"] != boot_id():
        raise StaleError("it was written before this machine was booted")
    started = started_at(state["pid"])
    if started != state["started"]:
        raise StaleError(f"the process that wrote it, {state['pid']}, has ended")
    age = seconds_since_boot() - state["time"]
    if age < -TOLERANCE_SECONDS:
        raise StaleError("the time in it is still to come")
    if age > state["valid_for"]:
        limit = f"and says that it holds for {state['valid_for']:g} s"
        raise StaleError(f"it was written {age:.1f} s ago {limit}: the process stands still")
    return state


def _content(path: str) -> bytes:
    # A pipe that somebody put there must not hold us up, hence O_NONBLOCK.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        raise StaleError(
            "there is no such file: no worker has started, or it has stopped"
        ) from None
    except OSError as error:
        raise StaleError(f"it cannot be read: {error.strerror}") from None
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise StaleError("it is no file")
        return os.read(descriptor, MOST_BYTES)
    finally:
        os.close(descriptor)


def _parse(content: bytes) -> dict[str, Any]:
    import json

    try:
        state = json.loads(content)
        valid = (
            isinstance(state["probes"], dict)
            and isinstance(state["boot_id"], str)
            and isinstance(state["started"], str)
            and type(state["pid"]) is int
            and state["pid"] > 0
            and 0 <= state["time"] < MOST_SECONDS
            and 0 < state["valid_for"] < MOST_SECONDS
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        valid = False
    if not valid:
        raise StaleError("it is not the file of a worker's probes")
    return dict(state)
