"""What the probes know of the consumer."""

import time
from typing import Any

import pytest

from dockerflow_django.tasks.amqp.status import CONNECTING_SECONDS, Status


@pytest.fixture
def status(settings: Any) -> Status:
    """Give a status of a worker that may stand still for ten seconds."""
    settings.DOCKERFLOW_WORKER_STALL_SECONDS = 10
    return Status()


def test_at_first(status: Status) -> None:
    """Before the first answer of the broker it is alive, and starting."""
    assert [message.level for message in status.readiness()] == [20]
    assert status.liveness() == []


@pytest.mark.parametrize(("seconds", "count"), [(5, 0), (11, 1)])
def test_a_loop_that_stands_still(status: Status, seconds: float, count: int) -> None:
    """Liveness fails if the loop has not turned for so long while it consumes."""
    status.consuming(10)
    status.turned_at -= seconds
    assert len(status.liveness()) == count


def test_connecting_may_take_longer(status: Status) -> None:
    """An attempt to connect, which looks up names, has a minute more."""
    status.connecting()
    status.turned_at -= 11
    assert status.liveness() == []
    status.turned_at -= CONNECTING_SECONDS
    assert len(status.liveness()) == 1


def test_a_pause_is_no_standstill(status: Status) -> None:
    """While the broker is away, however long, a restart would not help."""
    status.consuming(10)
    status.lost("The AMQP broker cannot be reached.", is_connected=False)
    status.turned_at -= 1000
    assert status.liveness() == []
    assert [message.msg for message in status.readiness()] == ["The AMQP broker cannot be reached."]


@pytest.mark.parametrize(("seconds", "count"), [(7, 0), (8, 1)])
def test_silence(status: Status, seconds: float, count: int) -> None:
    """Readiness fails if the broker has sent nothing for three quarters of the heartbeat."""
    status.consuming(10)
    status.heard_at = time.monotonic() - seconds
    assert len(status.readiness()) == count


def test_without_a_heartbeat(status: Status) -> None:
    """A broker that agreed on no heartbeat may be silent."""
    status.consuming(0)
    status.heard_at -= 1000
    assert status.readiness() == []
