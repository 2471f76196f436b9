"""Standard output that is closed, or that nobody can write to: `serve` goes on without it."""

import os
import sys
from contextlib import ExitStack
from typing import TextIO


def open_closed() -> None:
    """Open what was closed before Python began, as by ``>&-``, on the null device.

    Else it is None, and what is opened next, a socket for one, has its descriptor.
    """
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            stream = open(os.devnull, "w")  # noqa: SIM115, PTH123 - until the end
            os.set_inheritable(stream.fileno(), True)
            setattr(sys, name, stream)


def flush_or_lose() -> None:
    """Write what is buffered; what a full disk, or a reader that has gone, does not take is lost.

    Else `multiprocessing`, which writes it before it starts a process, starts none, and the
    interpreter's own end has the status 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            _lose(stream)
        except ValueError:  # the project has closed it
            continue


def _lose(stream: TextIO) -> None:
    number = stream.fileno()
    with ExitStack() as stack:
        kept = os.dup(number)
        stack.callback(os.close, kept)
        nowhere = os.open(os.devnull, os.O_WRONLY)
        stack.callback(os.close, nowhere)
        stack.callback(os.dup2, kept, number)
        os.dup2(nowhere, number)
        stream.flush()
