"""The database connection that the shipped checks use.

In the heartbeat's threads it is one connection an alias and process, on which the checks take
turns, so that no number of heartbeats adds a second one. Elsewhere, in a test or a shell, it is the
calling thread's own.
"""

import copy
import logging
import math
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.utils.connection import ConnectionDoesNotExist

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf

logger = logging.getLogger("dockerflow_django.checks")

# The heartbeat sets these in its threads; a `sync_to_async` thread below one inherits them.
in_heartbeat_thread: ContextVar[bool] = ContextVar("in_heartbeat_thread", default=False)
# How long the run may take.
allowed_seconds: ContextVar[float] = ContextVar("allowed_seconds", default=0.0)

# The drivers count milliseconds in 32 bits.
LONGEST_PATIENCE_SECONDS = 86_400


@contextmanager
def connection_to(alias: str) -> Iterator[BaseDatabaseWrapper]:
    """Give the connection to `alias`, as ``connections[alias]`` does, for the length of a turn.

    Raises `django.utils.connection.ConnectionDoesNotExist` if there is no such alias.
    """
    if not in_heartbeat_thread.get():
        yield connections[alias]
        return
    if alias not in connections.settings:
        raise ConnectionDoesNotExist(f"There is no database alias '{alias}'.")
    with _lock:
        turns = _turns.setdefault(alias, _Turns(alias))
    with turns.lock, _installed(alias, turns.current(_patience_seconds())) as connection:
        try:
            yield connection
        finally:
            turns.put_back(connection)


def answers(connection: BaseDatabaseWrapper) -> bool:
    """Tell whether the database answers, over a fresh connection if the server closed a kept one.

    python-dockerflow asks the dead one for ever, and so stays unhealthy under `CONN_MAX_AGE`.
    """
    connection.ensure_connection()
    if connection.is_usable():
        return True
    if connection.in_atomic_block:
        return False
    reconnect(connection)
    return bool(connection.is_usable())


def reconnect(connection: BaseDatabaseWrapper) -> None:
    """Close the connection and make it anew: the server may have closed it, and a pool many."""
    with _guard:
        connection.close()
    if pool := getattr(connection, "pool", None):
        pool.check()
    connection.ensure_connection()


def end_stuck_waits() -> None:
    """Let every turn that waits for a server that no longer answers end, with an error.

    No timeout of PostgreSQL's driver covers a peer that acknowledges and never answers, like a
    frozen server or a stuck proxy. Shutting the socket down wakes the thread that waits for it.
    """
    for turns in list(_turns.values()):
        turns.end_stuck_wait()


def close_all() -> None:
    """Close every connection of this thread, those to an in-memory database too."""
    for connection in connections.all(initialized_only=True):
        _close(connection)


def is_testing() -> bool:
    """Tell whether Django's test environment is set up: no connection may stay behind then."""
    # `django.core.mail.outbox` does not tell: the locmem backend makes one wherever it is used.
    return hasattr(getattr(sys.modules.get("django.test.utils"), "_TestState", None), "saved_data")


def _close(connection: BaseDatabaseWrapper) -> None:
    connection.close()
    if connection.connection is not None:
        # SQLite's wrapper keeps an in-memory database open; its own thread's connection does that.
        BaseDatabaseWrapper.close(connection)


class _Turns:
    """One alias's connection, and the lock that is its turnstile."""

    def __init__(self, alias: str) -> None:
        self.alias = alias
        self.lock = threading.Lock()
        self.connection: BaseDatabaseWrapper | None = None
        self.made_for: dict[str, Any] = {}
        self.made_with_seconds = 0
        self.patience_seconds = 0
        self.taken_at: float | None = None

    def current(self, patience_seconds: int) -> BaseDatabaseWrapper:
        """Return the connection: a new one if the settings differ, or its timeouts do not fit."""
        wanted = connections.settings[self.alias]
        connection = self.connection
        if connection is None or wanted != self.made_for or not self._is_patient(patience_seconds):
            if connection is not None:
                _close(connection)
            self.connection = connection = _make(self.alias, patience_seconds)
            self.made_for = copy.deepcopy(wanted)
            self.made_with_seconds = patience_seconds
        self.patience_seconds = patience_seconds
        self.taken_at = time.monotonic()
        connection.close_if_unusable_or_obsolete()
        return connection

    def _is_patient(self, seconds: int) -> bool:
        """Tell whether the driver's timeouts fit; those of an open connection may be longer."""
        is_open = self.connection is not None and self.connection.connection is not None
        return seconds <= self.made_with_seconds if is_open else seconds == self.made_with_seconds

    def put_back(self, connection: BaseDatabaseWrapper) -> None:
        """Keep the connection as long as the project keeps its own, and in tests not at all."""
        with _guard:
            self.taken_at = None
        if is_testing():
            _close(connection)
        connection.close_if_unusable_or_obsolete()

    def end_stuck_wait(self) -> None:
        """Shut the socket down if this turn has lasted longer than a driver's timeout would."""
        with _guard:
            if self.taken_at is None or time.monotonic() - self.taken_at < self.patience_seconds:
                return
            raw = self.connection.connection if self.connection else None
            if hasattr(raw, "fileno"):
                _shut_down(raw)


def _shut_down(raw: Any) -> None:
    try:
        with socket.socket(fileno=os.dup(raw.fileno())) as duplicate:
            duplicate.shutdown(socket.SHUT_RDWR)
    except Exception:  # noqa: BLE001 - the driver's own class: the connection is closed already
        logger.debug("The connection was closed meanwhile.")


def _patience_seconds() -> int:
    """Return how long this run may wait for a server: no less than an ordinary one."""
    limit = max(conf.DOCKERFLOW_CHECK_TIMEOUT, allowed_seconds.get())
    limit = min(limit, LONGEST_PATIENCE_SECONDS)
    return max(2, math.ceil(limit) + 1)  # libpq: 2 s at least


def _make(alias: str, patience_seconds: int) -> BaseDatabaseWrapper:
    connection: BaseDatabaseWrapper = connections.create_connection(alias)
    own = connection.settings_dict["OPTIONS"]
    bounds = {
        name: bound
        for name, bound in _bounds(connection, patience_seconds).items()
        if not _is_shorter(own.get(name), bound)
    }
    if bounds:
        connection.settings_dict = copy.deepcopy(connection.settings_dict)
        connection.settings_dict["OPTIONS"].update(bounds)
    connection.inc_thread_sharing()
    return connection


def _is_shorter(own: Any, bound: int) -> bool:
    """Tell whether the project's own value is one that ends a wait sooner; 0 means never."""
    try:
        return 0 < float(own) < bound
    except (TypeError, ValueError):
        return False


def _bounds(connection: BaseDatabaseWrapper, seconds: int) -> dict[str, int]:
    """Return the driver's options that end a wait for a server that never answers.

    Without them a run that hangs on a lost server would hang for ever, and with it the check. A
    connection from a pool has the pool's.
    """
    if connection.settings_dict["OPTIONS"].get("pool"):
        return {}
    if connection.vendor == "postgresql":
        keepalive = {"keepalives_idle": seconds, "keepalives_interval": seconds}
        lost = {"keepalives_count": 2, "tcp_user_timeout": seconds * 2000}  # milliseconds
        return {"connect_timeout": seconds, **keepalive, **lost}
    if connection.vendor == "mysql":
        return dict.fromkeys(("connect_timeout", "read_timeout", "write_timeout"), seconds)
    return {}


@contextmanager
def _installed(alias: str, connection: BaseDatabaseWrapper) -> Iterator[BaseDatabaseWrapper]:
    """Let ``connections[alias]``, and so the ORM, be `connection` in this thread."""
    before = next((c for c in connections.all(initialized_only=True) if c.alias == alias), None)
    connections[alias] = connection
    try:
        yield connection
    finally:
        del connections[alias]
        if before is not None:
            connections[alias] = before


_lock = threading.Lock()
# Held while a connection is closed or shut down: its file descriptor is nobody else's meanwhile.
_guard = threading.Lock()
_turns: dict[str, _Turns] = {}
_abandoned: list[dict[str, _Turns]] = []


@keeps("_abandoned", "_guard", "_lock", "_turns", in_tests=False)
def _abandon() -> None:
    """Leave the parent's connections to the parent: closing one here would end it there too."""
    global _guard, _lock, _turns
    _abandoned.append(_turns)
    _guard, _lock, _turns = threading.Lock(), threading.Lock(), {}
