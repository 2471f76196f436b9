"""Every test of the heartbeat begins with nothing known."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from dockerflow_django import testing
from dockerflow_django.checks import registry
from dockerflow_django.checks.check import Check
from dockerflow_django.heartbeat.announcer import announcer
from tests.harness.waiting import wait_until


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    testing.reset()
    # A machine that is busy makes no check late but where a test says how long it may take.
    with override_settings(DOCKERFLOW_CHECK_TIMEOUT=10):
        yield
    testing.reset()


class Counted:
    """A check that counts its runs, and answers what and when the test says."""

    __name__ = "counted"

    def __init__(self) -> None:
        self.runs = 0
        self.messages: list[CheckMessage] = []
        self.gate = threading.Event()
        self.gate.set()
        self.began = threading.Event()
        self.lock = threading.Lock()

    def __call__(self, app_configs: object, **kwargs: object) -> list[CheckMessage]:
        with self.lock:
            self.runs += 1
        self.began.set()
        assert self.gate.wait(30)
        return self.messages

    def as_check(self, **options: float) -> Check:
        return Check(self, {}, **options)


@pytest.fixture
def counted() -> Iterator[Counted]:
    """Give a check under control; a hung run of it ends with the test."""
    check = Counted()
    yield check
    check.gate.set()


@pytest.fixture
def hung(counted: Counted) -> Counted:
    """Give a check that does not answer before the test opens its gate."""
    counted.gate.clear()
    return counted


@pytest.fixture
def configure() -> Iterator[Callable[..., None]]:
    """Give a function that overrides settings until the test ends."""
    overrides: list[override_settings] = []

    def configure(**settings: object) -> None:
        override = override_settings(**settings)
        override.enable()
        overrides.append(override)

    yield configure
    for override in reversed(overrides):
        override.disable()


class Received:
    """What receivers were called with, once the thread that calls them has done its work."""

    def __init__(self) -> None:
        self._passed: list[dict[str, Any]] = []
        self._failed: list[dict[str, Any]] = []
        self._changed: list[dict[str, Any]] = []

    def __getattr__(self, name: str) -> list[dict[str, Any]]:
        wait_until(lambda: not announcer._is_sending)
        return self.__dict__[f"_{name}"]


@pytest.fixture
def received() -> Iterator[Received]:
    """Collect the signals."""
    from dockerflow_django import signals

    found = Received()

    def keep(kind: list[dict[str, object]]) -> Callable[..., None]:
        def receiver(**kwargs: object) -> None:
            kind.append(kwargs)

        return receiver

    receivers = {
        signals.heartbeat_passed: keep(found._passed),
        signals.heartbeat_failed: keep(found._failed),
        signals.heartbeat_changed: keep(found._changed),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
    yield found
    for signal, receiver in receivers.items():
        signal.disconnect(receiver)
