"""Every test of the heartbeat begins with nothing known."""

import threading
from collections.abc import Callable, Iterator
from types import SimpleNamespace

import pytest
from django.core.checks import CheckMessage
from django.test import override_settings

from dockerflow_django import testing
from dockerflow_django.checks import registry
from dockerflow_django.checks.registry import Check


@pytest.fixture(autouse=True)
def _anew(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(registry, "_registered", {})
    testing.reset()
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


@pytest.fixture
def received() -> Iterator[SimpleNamespace]:
    """Collect the signals."""
    from dockerflow_django import signals

    found = SimpleNamespace(passed=[], failed=[], changed=[])

    def keep(kind: list[dict[str, object]]) -> Callable[..., None]:
        def receiver(**kwargs: object) -> None:
            kind.append(kwargs)

        return receiver

    receivers = {
        signals.heartbeat_passed: keep(found.passed),
        signals.heartbeat_failed: keep(found.failed),
        signals.heartbeat_changed: keep(found.changed),
    }
    for signal, receiver in receivers.items():
        signal.connect(receiver)
    yield found
    for signal, receiver in receivers.items():
        signal.disconnect(receiver)
