"""What a process keeps beyond one call, and the one place that resets it.

A module registers the function that resets what it keeps, and the names that hold it. All of them
run in a forked child, whose threads, locks and connections are its parent's, and for
`dockerflow_django.testing.reset`. A test compares the names with what the modules hold.

Nothing here imports Django: the log line's modules register too.
"""

import mmap
import os
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TypeVar

# Linux 4.14 and later; Python's `mmap` has no name for it.
MADV_WIPEONFORK = 18

Reset = TypeVar("Reset", bound=Callable[[], Any])


@dataclass(frozen=True)
class Registration:
    """How one module resets what it keeps; `names` are the module's own."""

    module: str
    names: tuple[str, ...]
    reset: Callable[[], Any]
    after_fork: bool
    in_tests: bool


registrations: list[Registration] = []

_lock = threading.Lock()
_pid = os.getpid()


def keeps(*names: str, after_fork: bool = True, in_tests: bool = True) -> Callable[[Reset], Reset]:
    """Register the decorated function: it resets what its module keeps under `names`.

    With `after_fork` off a forked child goes on with what its parent knew; with `in_tests` off
    `dockerflow_django.testing.reset` leaves it alone.
    """
    module: str = sys._getframe(1).f_globals["__name__"]  # noqa: SLF001 - a method names its class's

    def register(reset: Reset) -> Reset:
        registrations.append(Registration(module, names, reset, after_fork, in_tests))
        return reset

    return register


def reset() -> None:
    """Reset what a process that has just started would not know."""
    for registration in registrations:
        if registration.in_tests:
            registration.reset()


def notice_fork() -> None:
    """Reset after a fork that called none of Python's hooks, as uWSGI's does not.

    Every request asks, so this makes no system call where the kernel marks a forked child.
    """
    if _is_forked():
        _after_fork()


def _is_forked() -> bool:
    return os.getpid() != _pid if _mark is None else not _mark[0]


def _new_mark() -> mmap.mmap | None:
    """Return a page whose first byte is 1 here and 0 in a child, None where none can be had."""
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        with suppress(OSError):
            page.madvise(-1)
            return None  # an emulator takes any advice, and follows none
        page.madvise(MADV_WIPEONFORK)
    except (AttributeError, OSError):  # not Linux, or an old one
        return None
    page[0] = 1
    return page


_mark = _new_mark()


def _after_fork() -> None:
    global _pid  # noqa: PLW0603
    with _lock:
        if not _is_forked():
            return
        for registration in registrations:
            if registration.after_fork:
                registration.reset()
        _pid = os.getpid()
        if _mark is not None:
            _mark[0] = 1


os.register_at_fork(after_in_child=_after_fork)
