"""What the broker is told, and when; what is told twice, or too late, is told once or to nobody."""

import logging
import time
from types import SimpleNamespace
from typing import Any

import pytest

from dockerflow_django.context.requests import RequestState
from dockerflow_django.tasks.amqp import actions as module
from dockerflow_django.tasks.amqp.actions import Action, Actions
from dockerflow_django.tasks.amqp.broker import Broker
from dockerflow_django.tasks.amqp.handling import _Channel
from dockerflow_django.tasks.amqp.inbox import Delivery, Inbox
from dockerflow_django.tasks.amqp.options import Options
from dockerflow_django.tasks.amqp.record import SUCCESS, SUMMARY_LOGGER, Record


def deliver(epoch: int = 1) -> Delivery:
    """Return a message that is in hand."""
    message = SimpleNamespace(delivery_tag=3, delivery_info={}, properties={})
    delivery = Delivery(message, "orders", "shop.handle", epoch)
    delivery.state = RequestState("abc", None)
    return delivery


@pytest.fixture
def states(caplog: pytest.LogCaptureFixture) -> Any:
    """Give a function that returns the states of the records so far."""
    caplog.set_level(logging.INFO, SUMMARY_LOGGER)

    def found() -> list[str]:
        return [each.state for each in caplog.records if each.name == SUMMARY_LOGGER]  # type: ignore[attr-defined]

    return found


class BrokenChannel:
    """A channel whose connection is lost at the next word."""

    def basic_ack(self, tag: int) -> None:
        raise ConnectionResetError


def test_pause(states: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """An action with a pause is due after it, with or without a record, which is written now."""
    actions, delivery = Actions(), deliver()
    ended = time.perf_counter()
    clock = SimpleNamespace(monotonic=lambda: clock.now, now=0.0)
    monkeypatch.setattr(module, "time", clock)
    actions.put(Action(delivery, "requeue", None, pause_seconds=0.1))
    actions.put(Action(delivery, "requeue", Record(delivery, SUCCESS, ended), pause_seconds=0.2))
    assert list(actions.due(pauses=True)) == []
    assert states() == [SUCCESS]
    assert actions.seconds_to_next(1.0) == 0.1
    for due_at in (0.1, 0.2):
        clock.now = due_at - 0.01
        assert list(actions.due(pauses=True)) == []
        clock.now = due_at
        assert list(actions.due(pauses=True)) == [Action(delivery, "requeue")]
    assert actions.seconds_to_next(1.0) == 1.0


def test_filter_that_raises(capfd: pytest.CaptureFixture[str], states: Any) -> None:
    """What a project's log filter raises does not keep the broker from being told."""
    breaks = logging.Filter()
    breaks.filter = lambda record: record.args[5]  # type: ignore[index, assignment, return-value]
    logger = logging.getLogger(SUMMARY_LOGGER)
    logger.addFilter(breaks)
    try:
        Record(deliver(), SUCCESS, time.perf_counter()).write(is_sent=True)
    finally:
        logger.removeFilter(breaks)
    assert "IndexError" in capfd.readouterr().err


def test_connection_that_is_lost_at_the_answer(states: Any) -> None:
    """If the answer to a message cannot be sent, its record says so, once."""
    broker = Broker("memory://", "shop.handle", Options("orders"), Inbox())
    broker._channel, broker._epoch = BrokenChannel(), 1
    delivery = deliver()
    action = Action(delivery, "ack", Record(delivery, SUCCESS, time.perf_counter()))
    broker.post(action)
    with pytest.raises(ConnectionResetError):
        broker._settle()
    assert states() == ["UNACKED"]
    assert not delivery.is_sent
    action.record.write(is_sent=True)  # type: ignore[union-attr]
    assert states() == ["UNACKED"]
    broker._wake_up.close()


def test_only_the_first_word_counts() -> None:
    """What a handler tells a message is posted once."""
    posted: list[Action] = []
    delivery = deliver()
    channel = _Channel(delivery, posted.append)
    channel.basic_reject(3, requeue=True)
    channel.basic_ack(3)
    channel.basic_reject(3)
    assert [action.verb for action in posted] == ["requeue"]
    assert delivery.verb == "requeue"


def test_message_that_comes_too_late() -> None:
    """A message that comes when no more are taken is left to the broker."""
    inbox = Inbox()
    inbox.put(deliver())
    assert inbox.take() is not None
    inbox.done()
    inbox.close()
    inbox.put(deliver())
    assert not inbox._waiting
    assert inbox.take() is None
