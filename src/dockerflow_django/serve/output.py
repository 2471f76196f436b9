"""Standard output that is closed, or that nobody can write to: `serve` goes on without it."""

import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TextIO


def open_closed() -> None:
    """Open what was closed before Python began, as by ``>&-``, on the null device.

    Else a stream is None, and what is opened next, a socket for one, has its descriptor.
    """
    opened = set()
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:  # noqa: PLR2004 - standard error's
        os.set_inheritable(number, True)
        opened.add(number)
    os.close(number)
    for name, number in (("stdout", 1), ("stderr", 2)):
        if getattr(sys, name) is None:
            # A file of the project's, its log for one, may have the descriptor already.
            own = number if number in opened else os.open(os.devnull, os.O_WRONLY)
            stream = open(  # noqa: SIM115 - until the end
                own, "w", encoding="utf-8", errors="backslashreplace", closefd=False
            )
            setattr(sys, name, stream)


def flush_or_lose(*, is_last: bool = False) -> None:
    """Write what is buffered; what a full disk, or a reader that has gone, does not take is lost.

    Else `multiprocessing`, which writes it before it starts a process, starts none, and the
    interpreter's own end has the status 120. With `is_last` that end loses what comes later too.
    """
    for stream in (sys.stdout, sys.stderr):
        if stream is None:  # closed, and `call_command` does not open it
            continue
        flush = partial(_flush_or_lose, stream, stream.flush)
        flush()
        if is_last:
            # The interpreter calls it after all that a project has registered with `atexit`.
            stream.flush = flush  # type: ignore[method-assign]


def _flush_or_lose(stream: TextIO, flush: Callable[[], None]) -> None:
    try:
        flush()
    except OSError:
        _lose(stream)
    except ValueError:  # the project has closed it
        return


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
