"""A loop that stands still is told, unless there is a reason to stand still."""

import time

import pytest
from kombu.asynchronous import Hub

from dockerflow_django import health
from dockerflow_django.tasks.celery import liveness
from dockerflow_django.tasks.celery.liveness import LoopWatch, TickWatch
from tests.harness.waiting import wait_until


class Clock:
    """The monotonic clock, which a test moves on."""

    def __init__(self):
        self.now = time.monotonic()

    def monotonic(self):
        return self.now


class Broker:
    """A broker that answers since a time, or does not."""

    def __init__(self, answers_since):
        self.answers_since = answers_since


class Consumer:
    """A consumer with a loop that a test turns."""

    def __init__(self):
        self.connection = object()
        self.asked = []

    def call_soon(self, function):
        self.asked.append(function)

    def turn(self):
        while self.asked:
            self.asked.pop()()


class Worker:
    """A worker on a transport with an event loop, or without one."""

    def __init__(self, hub):
        self.hub = hub
        self.consumer = Consumer()
        self.timer = hub and hub.timer

    def turn(self):
        self.consumer.turn()
        if self.hub is not None:
            self.hub.fire_timers()


@pytest.fixture
def clock(monkeypatch, settings):
    settings.DOCKERFLOW_WORKER_STALL_SECONDS = 60
    found = Clock()
    monkeypatch.setattr(liveness, "time", found)
    return found


def watch(clock, hub=None, is_busy=lambda: False):
    worker = Worker(hub)
    found = LoopWatch(worker, Broker(clock.now), is_busy)
    found.watch()
    return found, worker


@pytest.fixture
def hub(monkeypatch):
    """Give the loop of Celery's main process, which turns when the test has it turn."""
    monkeypatch.setattr(liveness, "TURN_SECONDS", 0.01)
    found = Hub()
    yield found
    found.close()


@pytest.mark.parametrize("has_hub", [False, True])
def test_a_loop_that_stands_still(clock, hub, has_hub):
    """After the bound a loop that has not turned is an error; it passes when it turns again."""
    found, worker = watch(clock, hub if has_hub else None)
    assert found.messages() == []
    clock.now += 59
    assert found.messages() == []
    clock.now += 2
    (message,) = found.messages()
    assert message.id == health.ERROR_STALLED
    assert message.msg == (
        "The consumer's loop has not turned for 61.0 s, although the broker answers."
    )
    wait_until(lambda: worker.turn() or found.messages() == [])


def test_the_loop_of_the_next_connection(clock, hub):
    """It is watched whether Celery has cleared the timers or not, and never twice."""
    found, worker = watch(clock, hub)
    hub.timer.clear()
    found.watch()
    found.watch()
    clock.now += 61
    assert len(found.messages()) == 1
    wait_until(lambda: worker.turn() or found.messages() == [])
    assert [each.entry.canceled for each in hub.timer.queue].count(False) == 1


def test_a_loop_without_a_hub_is_asked_once(clock):
    """One that stands still is not asked again and again."""
    found, worker = watch(clock)
    for _ in range(3):
        found.messages()
    assert len(worker.consumer.asked) == 1


def test_while_the_broker_is_away(clock):
    """Then a loop may stand still; the time counts from when the broker answers again."""
    found, _ = watch(clock)
    found._broker.answers_since = None
    clock.now += 1000
    assert found.messages() == []
    found._broker.answers_since = clock.now
    clock.now += 59
    assert found.messages() == []
    clock.now += 2
    assert len(found.messages()) == 1


def test_before_the_next_try_to_connect(clock):
    """A worker that waits may do so for the longest pause on top."""
    found, worker = watch(clock)
    worker.consumer.connection = None
    clock.now += 60 + liveness.RECONNECT_SECONDS - 1
    assert found.messages() == []
    clock.now += 2
    assert len(found.messages()) == 1


def test_a_task_in_the_loop_s_own_thread(clock):
    """In the solo pool the loop waits for the task, and is given time after it."""
    busy = [True]
    found, _ = watch(clock, is_busy=lambda: busy[0])
    clock.now += 1000
    assert found.messages() == []
    busy[0] = False
    clock.now += 59
    assert found.messages() == []


class Scheduler:
    """A scheduler that wants to sleep for as long as the test says."""

    interval = 300

    def tick(self):
        return self.interval


@pytest.mark.parametrize("interval", [300, 0.5, 0, None])
def test_beat(clock, interval):
    """Beat may sleep as long as it has said, and be late for as long as the setting says."""
    scheduler = Scheduler()
    scheduler.interval = interval
    found = TickWatch(scheduler, Broker(clock.now))
    assert scheduler.tick() == interval
    clock.now += (interval or 0) + 59
    assert found.messages() == []
    clock.now += 2
    (message,) = found.messages()
    assert message.msg == "Beat has not looked at its schedule: that is 61.0 s overdue."
    scheduler.tick()
    assert found.messages() == []


def test_beat_while_the_broker_is_away(clock):
    """Beat waits for its broker inside a tick, and for the longest pause of kombu after that."""
    scheduler = Scheduler()
    found = TickWatch(scheduler, Broker(None))
    clock.now += 1000
    assert found.messages() == []
    found._broker.answers_since = clock.now
    clock.now += 60 + liveness.RECONNECT_SECONDS - 1
    assert found.messages() == []
    clock.now += 2
    assert len(found.messages()) == 1
