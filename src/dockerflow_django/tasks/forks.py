"""Forks of a process that answers probes: a child inherits no socket and no lock that is held.

A pool forks from whatever thread it likes, at any time. If one of our threads held a lock of the
metrics at that moment, nobody would ever release it in the child.
"""

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

# A fork waits no longer than this for one of our threads.
PATIENCE_SECONDS = 1.0

_lock = threading.RLock()
_is_held = False
_close: list[Callable[[], None]] = []


@contextmanager
def held_off() -> Iterator[None]:
    """Let no fork happen meanwhile, unless this takes very long."""
    with _lock:
        yield


def close_in_children(close: Callable[[], None]) -> None:
    """Call `close` in every child that is forked from now on."""
    if close not in _close:
        _close.append(close)


def _before() -> None:
    global _is_held  # noqa: PLW0603
    _is_held = _lock.acquire(timeout=PATIENCE_SECONDS)


def _after_in_parent() -> None:
    if _is_held:
        _lock.release()


def _after_in_child() -> None:
    global _lock, _is_held
    _lock, _is_held = threading.RLock(), False
    for close in _close:
        close()
    _close.clear()


os.register_at_fork(
    before=_before, after_in_parent=_after_in_parent, after_in_child=_after_in_child
)
