"""Keep formatting away from the database: a `QuerySet` asks it when it is printed.

A model whose text names a related object does, too, and so does what holds either. The log must
work when the database does not, and must never add a query to a request.
"""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

_CURSORS = ("cursor", "chunked_cursor")
_guarded = threading.local()


class DatabaseRefusedError(Exception):
    """Raised when a value asks the database while it is being formatted."""


@contextmanager
def no_database() -> Iterator[None]:
    """Refuse this thread every query until the block ends; code in other threads is left alone."""
    if "django.db" not in sys.modules or getattr(_guarded, "is_on", False):
        yield
        return
    kept = [(connection, _refuse(connection)) for connection in _connections()]
    _guarded.is_on = True
    try:
        yield
    finally:
        _guarded.is_on = False
        for connection, attributes in kept:
            _give_back(connection, attributes)


def _connections() -> list[Any]:
    connections = sys.modules["django.db"].connections
    try:
        # Also those not used yet: the first query would connect.
        return list(connections.all())
    except Exception:  # noqa: BLE001 - no settings, or a driver that is not installed
        return []


def _refuse(connection: Any) -> dict[str, Any]:
    attributes = vars(connection)
    kept = {name: attributes[name] for name in _CURSORS if name in attributes}
    thread = threading.get_ident()
    for name in _CURSORS:
        attributes[name] = _refusal(getattr(connection, name), thread)
    return kept


def _refusal(method: Any, thread: int) -> Any:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        # Tests share a connection between threads.
        return method(*args, **kwargs) if threading.get_ident() != thread else _raise()

    return refuse


def _raise() -> NoReturn:
    raise DatabaseRefusedError


def _give_back(connection: Any, attributes: dict[str, Any]) -> None:
    for name in _CURSORS:
        vars(connection).pop(name, None)
    vars(connection).update(attributes)
