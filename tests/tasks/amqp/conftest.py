"""A queue in RabbitMQ, a relay before it, and pauses that a test can wait for."""

from collections.abc import Iterator

import pytest

from dockerflow_django.tasks.amqp import broker, handling
from tests.harness.queues import Queue, port
from tests.harness.relay import Relay


@pytest.fixture
def queue() -> Iterator[Queue]:
    with Queue() as queue:
        yield queue


@pytest.fixture
def relay(queue: Queue) -> Iterator[Relay]:
    """Give a relay before RabbitMQ, which may lose it and find it again."""
    with Relay(port()) as relay:
        yield relay


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker, "PAUSES_SECONDS", (0.2, 0.4))
    monkeypatch.setattr(broker, "ANSWER_SECONDS", 1.0)
    monkeypatch.setattr(handling, "FIRST_PAUSE_SECONDS", 0.2)
