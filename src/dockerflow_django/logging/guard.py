"""Keep formatting away from the database: a `QuerySet` asks it when it is printed.

A model whose text names a related object does, too, and so does what holds either. The log must
work when the database does not, and must never add a query to a request.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dockerflow_django._state import keeps

_CURSORS = ("cursor", "chunked_cursor")
_guarded = threading.local()
# Reentrant, for a signal's handler may log.
_lock = threading.RLock()


class DatabaseRefusedError(Exception):
    """Raised when a value asks the database while it is being formatted."""


@contextmanager
def no_database() -> Iterator[None]:
    """Refuse this thread every query until the block ends; code in other threads is left alone."""
    if "django.db" not in sys.modules or _is_guarded():
        yield
        return
    guards = [_guard(connection, name) for connection in _connections() for name in _CURSORS]
    _guarded.is_on = True
    try:
        yield
    finally:
        _guarded.is_on = False
        for guard in guards:
            guard.release()


def _is_guarded() -> bool:
    return getattr(_guarded, "is_on", False)


def _connections() -> list[Any]:
    connections = sys.modules["django.db"].connections
    try:
        # Also those not used yet: the first query would connect.
        return list(connections.all())
    except Exception:  # noqa: BLE001 - no settings, or a driver that is not installed
        return []


class _Guard:
    """Stands in the place of a connection's method as long as any thread formats.

    Tests share a connection between threads: all of them share its guards.
    """

    def __init__(self, connection: Any, name: str) -> None:
        self._attributes, self._name = vars(connection), name
        self._method = getattr(connection, name)
        self._kept = {name: self._attributes[name]} if name in self._attributes else {}
        self._threads = 0

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if _is_guarded():
            raise DatabaseRefusedError
        return self._method(*args, **kwargs)

    def acquire(self) -> None:
        self._threads += 1
        self._attributes[self._name] = self

    def release(self) -> None:
        with _lock:
            self._threads -= 1
            # Other code may have put something in its place since.
            if not self._threads and self._attributes.get(self._name) is self:
                del self._attributes[self._name]
                self._attributes.update(self._kept)


def _guard(connection: Any, name: str) -> _Guard:
    with _lock:
        found = vars(connection).get(name)
        guard = found if type(found) is _Guard else _Guard(connection, name)
        guard.acquire()
    return guard


@keeps("_lock", in_tests=False)
def reset() -> None:
    """Forget a lock that another thread held when the process was forked."""
    global _lock  # noqa: PLW0603
    _lock = threading.RLock()
