"""Count the queries of a request, and the time that they take, without ``DEBUG``.

Each connection gets one wrapper for life, in the thread that owns it; the wrapper asks the context
for whom it works. So the threads of one async view count together, and no other request with them.
"""

import time
from collections.abc import Callable
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from dockerflow_django.context.requests import current_state


def count_from_now_on() -> None:
    """Count on every connection to come, and on those that this thread has; it makes none."""
    # The app, where it is installed, has connected this under the same name: that suffices.
    connection_created.connect(count_on, dispatch_uid=f"{__name__}.{count_on.__name__}")
    for connection in connections.all(initialized_only=True):
        count_on(connection)


def count_on(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Count on this connection."""
    if _count not in connection.execute_wrappers:
        # In front: the end of an `execute_wrapper()` block takes whichever is last away.
        connection.execute_wrappers.insert(0, _count)


def _count(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    state = current_state()
    if state is None or state.is_over:
        return execute(sql, params, many, context)
    started = time.perf_counter()
    try:
        return execute(sql, params, many, context)
    finally:
        state.query_seconds.append(time.perf_counter() - started)
