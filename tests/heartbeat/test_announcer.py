"""What is announced: once, in order, the app's own listeners first, and nobody waits."""

import threading
import time

import pytest
from django.core import checks

from dockerflow_django import signals
from dockerflow_django.heartbeat import announcer as module
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.announcer import MOST_WAITING
from dockerflow_django.heartbeat.report import Report, Result
from tests.harness.waiting import wait_until

ERROR = checks.Error("broken", id="shop.E001")


@pytest.fixture
def announcer():
    return module.announcer


@pytest.fixture
def hang():
    """Connect receivers that hang until the test ends."""
    gate, entered = threading.Event(), threading.Event()

    def receiver(**kwargs):
        entered.set()
        assert gate.wait(30)

    for signal in (signals.heartbeat_passed, signals.heartbeat_failed):
        signal.connect(receiver)
    yield entered
    for signal in (signals.heartbeat_passed, signals.heartbeat_failed):
        signal.disconnect(receiver)
    gate.set()


def report(run, *messages, is_finished=True):
    """Make the report of one check that ran for the `run`-th time."""
    results = {"stock": Result(messages, 0.1, run, is_finished=is_finished)}
    return Report("heartbeat", results, passed=not messages)


def test_outcome_that_was_overtaken_is_not_announced(announcer, received):
    """An answer that took its results before the last announced ones says nothing any more."""
    for each in (report(5, ERROR), report(7), report(5, ERROR)):
        announcer.announce(each)
    announcer.announce(report(6, ERROR, is_finished=False))
    assert announcer.reports["heartbeat"].passed
    assert (len(received.failed), len(received.passed)) == (1, 1)


def test_run_that_ends_late_is_announced_twice(announcer, received):
    """A run that was overdue, and then has ended, is told of both times, and once each."""
    overdue, ended = report(5, ERROR, is_finished=False), report(5)
    for each in (overdue, overdue, ended, overdue):
        announcer.announce(each)
    assert (len(received.failed), len(received.passed)) == (1, 1)


def test_signals_are_sent_in_order(announcer, received):
    """A slow receiver never hears of a recovery before the failure."""
    gate = threading.Event()

    def slow(**kwargs):
        assert gate.wait(5)

    signals.heartbeat_failed.connect(slow)
    try:
        announcer.announce(report(1, ERROR))
        announcer.announce(report(2))
        assert received._changed == []
        gate.set()
        assert [changed["new"] for changed in received.changed] == ["failed", "passed"]
    finally:
        signals.heartbeat_failed.disconnect(slow)


def test_thread_of_an_earlier_life_sends_nothing(announcer, received):
    """A receiver that hung through a reset does not take what is announced after it."""
    gates = [threading.Event(), threading.Event()]
    entered: list[threading.Thread] = []

    def slow(**kwargs):
        entered.append(threading.current_thread())
        assert gates[len(entered) - 1].wait(30)

    signals.heartbeat_failed.connect(slow)
    try:
        announcer.announce(report(1, ERROR))
        wait_until(lambda: len(entered) == 1)
        announcer.reset()
        announcer.announce(report(1, ERROR))
        announcer.announce(report(2))
        wait_until(lambda: len(entered) == 2)
        gates[0].set()
        entered[0].join(10)
        assert not entered[0].is_alive()
        assert received._passed == []
        gates[1].set()
        assert len(received.passed) == 1
    finally:
        signals.heartbeat_failed.disconnect(slow)
        for gate in gates:
            gate.set()


def test_receiver_that_exits_ends_nothing(announcer, received, caplog):
    """`sys.exit()` in a receiver is logged, and the next signal is sent."""

    def exiting(**kwargs):
        raise SystemExit(3)

    signals.heartbeat_failed.connect(exiting)
    try:
        announcer.announce(report(1, ERROR))
        announcer.announce(report(2))
        assert len(received.passed) == 1
    finally:
        signals.heartbeat_failed.disconnect(exiting)
    assert "tried to end the process" in caplog.text
    assert "SystemExit" in caplog.text


def test_signals_wait_for_a_thread(announcer, received, monkeypatch):
    """At the limit of threads nothing is lost: the next announcement takes it along."""

    def refuse(function, *, name):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", refuse)
    announcer.announce(report(1, ERROR))
    monkeypatch.undo()
    assert received._failed == []
    announcer.announce(report(2))
    assert (len(received.failed), len(received.passed)) == (1, 1)


def test_announcing_waits_for_no_receiver(announcer, hang):
    """A receiver that hangs costs the caller nothing."""
    began = time.monotonic()
    for run in range(1, 50):
        announcer.announce(report(run))
    assert time.monotonic() - began < 5
    assert hang.wait(5)


def test_own_listeners_do_not_queue_behind_a_receiver(announcer, hang, caplog):
    """The log, the page and whatever else is the app's own has heard when the call returns."""
    from dockerflow_django.endpoints.page.changes import last_change

    heard = []

    def listener(new, **kwargs):
        heard.append(new)

    module.outcome_changed.connect(listener)
    try:
        announcer.announce(report(1))
        assert hang.wait(5)
        announcer.announce(report(2, ERROR))
    finally:
        module.outcome_changed.disconnect(listener)
    assert heard == ["failed"]
    assert "Check stock: shop.E001: broken" in caplog.text
    assert last_change("stock").status == "error"


def test_what_waits_is_bounded(announcer, hang, caplog):
    """While a receiver hangs, what waits behind it does not grow for ever, and the log says so."""
    announcer.announce(report(1))
    assert hang.wait(5)
    for run in range(2, MOST_WAITING + 20):
        announcer.announce(report(run))
    assert len(announcer._waiting) == MOST_WAITING
    (record,) = [each for each in caplog.records if "the oldest are dropped" in each.message]
    assert f"{MOST_WAITING} notifications wait" in record.message
    assert record.levelname == "ERROR"


def test_arguments_of_the_signals(announcer, received):
    """A receiver gets what the reference promises, and the sender is always the same."""
    failed = report(1, ERROR)
    announcer.announce(failed)
    shared = {"sender": Report, "probe": "heartbeat", "report": failed}
    assert received.failed == [
        {"signal": signals.heartbeat_failed, "level": checks.ERROR, **shared}
    ]
    assert received.changed == [
        {"signal": signals.heartbeat_changed, "old": None, "new": "failed", **shared}
    ]


def test_check_that_is_there_from_now_on_is_new(announcer, received):
    """It may hang in its first run, while the others have not run again."""
    first = report(5)
    results = {**first.results, "late": Result((ERROR,), 0.1, 1, is_finished=False)}
    announcer.announce(first)
    announcer.announce(Report("heartbeat", results, passed=False))
    assert (len(received.passed), len(received.failed)) == (1, 1)


def test_in_place_the_receivers_have_been_called(announcer, received):
    """A command and a test see what their signals did."""
    announcer.announce(report(1, ERROR), in_place=True)
    assert len(received._failed) == 1
    assert not announcer._is_sending
