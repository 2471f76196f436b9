"""Check that every migration on disk has been applied."""

import time
from collections.abc import Iterable, Iterator
from contextlib import nullcontext
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import Error, connections, router, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations import Migration, loader
from django.db.migrations.recorder import MigrationRecorder
from django.utils.connection import ConnectionDoesNotExist

from dockerflow_django import health
from dockerflow_django._state import keeps
from dockerflow_django.checks.connection import connection_to, in_heartbeat_thread, reconnect
from dockerflow_django.checks.messages import failure

Node = tuple[str, str]
Nodes = dict[Node, Migration]

# How long an answer "all applied" holds: migrations are not unapplied under a running process.
HOLDS_SECONDS = 60.0


def check_migrations_applied(
    app_configs: Iterable[AppConfig] | None,
    *,
    aliases: Iterable[str] | None = None,
    **kwargs: Any,
) -> list[checks.CheckMessage]:
    """Look for migrations in the code that have not been applied to a database.

    A process reads the migrations' files once. Then the check makes one query for each database,
    and, once nothing is unapplied, at most one every 60 seconds.

    :param aliases: aliases in ``DATABASES``; all to which migrations apply if not given.
    """
    labels = {app.label for app in app_configs or ()}
    wanted = connections if aliases is None else aliases
    return [message for alias in wanted for message in _check_alias(alias, labels)]


@keeps("_holds_until", "_read")
def reset() -> None:
    """Forget what is on disk and what holds."""
    _holds_until.clear()
    _read.clear()


def _check_alias(alias: str, labels: set[str]) -> list[checks.CheckMessage]:
    if in_heartbeat_thread.get() and time.monotonic() < _holds_until.get(alias, 0):
        return []
    try:
        missing = _unapplied(alias, labels)
    except (Error, OSError, ImproperlyConfigured, ConnectionDoesNotExist) as error:
        sentence = f"Can't connect to database '{alias}' to check migrations."
        return [failure(checks.Info, sentence, health.INFO_CANT_CHECK_MIGRATIONS, error)]
    if not missing and not labels:
        _holds_until[alias] = time.monotonic() + HOLDS_SECONDS
    place = "" if alias == "default" else f" to database '{alias}'"
    return [
        checks.Warning(
            f"Unapplied migration {app}.{name}{place}", id=health.WARNING_UNAPPLIED_MIGRATION
        )
        for app, name in missing
    ]


def _unapplied(alias: str, labels: set[str]) -> list[Node]:
    nodes = {
        node: migration
        for node, migration in _on_disk().items()
        if (not labels or node[0] in labels) and _is_migrated(alias, node[0])
    }
    with connection_to(alias) as connection:
        if not nodes or connection.vendor == "unknown":
            return []
        return list(dict.fromkeys(_missing(nodes, _recorded(connection))))


def _on_disk() -> Nodes:
    """Read the files once for each set of apps; a patched loader reads anew."""
    key = (
        loader.MigrationLoader,
        tuple(app.name for app in apps.get_app_configs()),
        repr(settings.MIGRATION_MODULES),
    )
    if key not in _read:
        graph = loader.MigrationLoader(None, ignore_no_migrations=True).graph
        # Django reads a folder into a set: sorted, every process names them in one order.
        _read[key] = {node: each for node, each in sorted(graph.nodes.items()) if each}
    return _read[key]


def _is_migrated(alias: str, label: str) -> bool:
    """Tell whether the routers let any of the app's models into the database."""
    if not settings.DATABASE_ROUTERS:
        return True
    models = apps.get_app_config(label).get_models(include_auto_created=True)
    return any(router.allow_migrate_model(alias, model) for model in models) or (
        router.allow_migrate(alias, label)
    )


def _recorded(connection: BaseDatabaseWrapper) -> set[Node]:
    recorder = MigrationRecorder(connection)
    # In a transaction a failed query would spoil it; a savepoint keeps it whole.
    savepoint = (
        transaction.atomic(using=connection.alias) if connection.in_atomic_block else nullcontext()
    )
    try:
        with savepoint:
            return _applied(recorder)
    except Error:
        if connection.connection is None:
            raise  # it could not be made: once is enough to ask
        is_lost = not connection.in_atomic_block and not connection.is_usable()
        if is_lost:
            reconnect(connection)  # the server had closed the one that was kept
        if not recorder.has_table():
            return set()  # nothing was ever migrated
        if not is_lost:
            raise
    return _applied(recorder)


def _applied(recorder: MigrationRecorder) -> set[Node]:
    return set(recorder.migration_qs.values_list("app", "name"))


def _missing(nodes: Nodes, recorded: set[Node]) -> Iterator[Node]:
    """Yield what Django's plan would apply; a squashed one is applied when what it replaces is."""
    for node, migration in nodes.items():
        replaced = [(app, name) for app, name in migration.replaces]
        missing = [old for old in replaced or [node] if old not in recorded]
        half_applied = 0 < len(missing) < len(replaced)
        yield from missing if half_applied else [node] * bool(missing)


_holds_until: dict[str, float] = {}
_read: dict[tuple[object, ...], Nodes] = {}
