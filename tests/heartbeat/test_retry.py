"""The loop that asks again."""

import pytest

from dockerflow_django.heartbeat import retry
from dockerflow_django.heartbeat.retry import retry as ask_until_passed


class Clock:
    """A clock that only sleeping moves, and an answer that takes its time."""

    def __init__(self, answer_seconds: float = 0.0) -> None:
        self.now, self.slept, self.answer_seconds = 100.0, [], answer_seconds

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    def answer(self) -> float:
        self.now += self.answer_seconds
        return self.now - 100


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(retry, "time", clock)
    return clock


def test_an_answer_that_passes_ends_it(clock):
    """Nobody waits for what is there."""
    assert ask_until_passed(clock.answer, lambda seconds: seconds >= 2, 60) == 2
    assert clock.slept == [1, 1]


def test_it_ends_when_the_time_is_over(clock):
    """The last pause is as long as what is left, and the last answer is returned."""
    assert ask_until_passed(clock.answer, lambda seconds: False, 2.5) == 2.5
    assert clock.slept == [1, 1, 0.5]


def test_without_time_it_asks_once(clock):
    """Zero seconds are one answer."""
    assert ask_until_passed(clock.answer, lambda seconds: False, 0) == 0
    assert clock.slept == []


def test_a_slow_answer_shortens_the_pause(clock):
    """It asks once a second, not a second after each answer."""
    clock.answer_seconds = 0.75
    ask_until_passed(clock.answer, lambda seconds: seconds >= 1.75, 60)
    assert clock.slept == [0.25]
