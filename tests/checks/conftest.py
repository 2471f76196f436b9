"""Databases that are not the test session's own, and a switch for the garbage collector."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import connections

from dockerflow_django import testing
from dockerflow_django.checks import connection as connection_module


@pytest.fixture
def add_alias(django_db_blocker) -> Iterator[Callable[..., None]]:
    """Give a function that adds an alias to ``DATABASES`` until the test ends."""
    added: list[str] = []

    def add(alias: str, **settings: Any) -> None:
        every = {"default": connections.settings["default"], alias: settings}
        connections.settings[alias] = connections.configure_settings(every)[alias]
        added.append(alias)

    testing.reset()
    with django_db_blocker.unblock():
        yield add
        for alias in added:
            turns = connection_module._turns.pop(alias, None)
            if turns is not None and turns.connection is not None:
                turns.connection.close()
                _close_pool(turns.connection)
            if connections[alias].connection is not None:
                connections[alias].close()
            _close_pool(connections[alias])
            del connections[alias]
            del connections.settings[alias]
    testing.reset()


def _close_pool(connection: Any) -> None:
    if hasattr(connection, "close_pool"):
        connection.close_pool()


@pytest.fixture
def production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pretend that no test environment is set up: connections are kept as the settings say."""
    monkeypatch.setattr(connection_module, "is_testing", lambda: False)


@pytest.fixture
def no_collection() -> Iterator[None]:
    """Have nothing closed because Python happens to collect garbage."""
    gc.disable()
    yield
    gc.enable()
