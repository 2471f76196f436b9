"""Have the processes of this container drain: they serve on, and readiness fails.

``python -m dockerflow_django.drain [--wait SECONDS]``, for ``preStop``, leaves a marker at
``DOCKERFLOW_DRAIN_PATH``. It starts no Django, and so reads that from the environment alone.

.. versionadded:: 0.1
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from dockerflow_django.client.command_line import (
    asks_for_help,
    complain,
    read_arguments,
    read_seconds,
    run,
    say,
    show,
)
from dockerflow_django.client.drain_marker import create

__all__ = ["main"]

PATH_VARIABLE = "DOCKERFLOW_DRAIN_PATH"
LONGEST_WAIT_SECONDS = 86400.0

HELP = f"""\
Usage: python -m dockerflow_django.drain [--wait SECONDS]

Leave a marker at ${PATH_VARIABLE}: the application serves on, and its readiness fails.
Exit 0 if the marker is there, by this call or an earlier one, else 1.

  --wait SECONDS   then wait so long; SIGTERM or SIGINT ends the wait early, and the exit is 0
  --help           show this text"""


def main(arguments: list[str]) -> int:
    """Leave the marker, wait as the arguments say, and return the exit status."""
    if asks_for_help(arguments):
        show(HELP)
        return 0
    try:
        given, _ = read_arguments(arguments, ["wait="], most_operands=0)
        seconds = read_seconds("--wait", given.get("--wait", "0"), 0, LONGEST_WAIT_SECONDS)
        path = _path(os.environ.get(PATH_VARIABLE, ""))
    except ValueError as error:
        complain(f"drain: {error} (--help shows how to call it)")
        return 1
    return drain(path, seconds)


def drain(path: str, seconds: float = 0) -> int:
    """Leave the marker at path, say so, wait, and return the exit status.

    From the start SIGTERM and SIGINT only end the wait: the marker is left in any case. They stay
    so, as this is the last that a process does.
    """
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        since = create(path)
    except OSError as error:
        complain(f"drain: cannot leave the marker at {path}: {error.strerror or error}")
        return 1
    say(f"draining for {time.monotonic() - since:.1f} s, by the marker at {path}")
    ended.wait(seconds)
    return 0


def _path(text: str) -> str:
    if not text:
        raise ValueError(f"{PATH_VARIABLE} is not set in the environment; it names a file")
    if not text.startswith("/"):
        raise ValueError(f"{PATH_VARIABLE} is {text!r}: only an absolute path is one file for all")
    return text


if __name__ == "__main__":
    sys.exit(run(main))
