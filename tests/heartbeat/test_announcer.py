"""What is news, and that it is sent once, in order, and by one thread."""

import threading

import pytest
from django.core import checks

from dockerflow_django import signals
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.announcer import MOST_WAITING, Announcer
from dockerflow_django.heartbeat.report import Report, Result

ERROR = checks.Error("broken", id="shop.E001")


@pytest.fixture
def announcer():
    return Announcer()


def report(run, *messages):
    """Make the report of one check that ran for the `run`-th time."""
    return Report("heartbeat", {"stock": Result(messages, 0.1, run)}, passed=not messages)


def post(announcer, *reports):
    """Post them all and wait until the last is sent."""
    sent = [announcer.post(report) for report in reports]
    return [future is not None and future.result(5) is None for future in sent]


def test_outcome_that_was_overtaken_is_no_news(announcer):
    """An answer that took its results before the last announced ones says nothing any more."""
    posted = [report(5, ERROR), report(7), report(5, ERROR), report(-6, ERROR)]
    assert post(announcer, *posted) == [True, True, False, False]
    assert announcer.reports["heartbeat"].passed


def test_run_that_ends_late_is_news(announcer):
    """A run that was overdue, and then has ended, is told of both times, and once each."""
    overdue, ended = report(-5, ERROR), report(5)
    assert post(announcer, overdue, overdue, ended, overdue) == [True, False, True, False]


def test_news_is_sent_in_order(announcer, received):
    """A slow receiver never hears of a recovery before the failure."""
    gate = threading.Event()

    def slow(**kwargs):
        assert gate.wait(5)

    signals.heartbeat_failed.connect(slow)
    try:
        futures = [announcer.post(report(1, ERROR)), announcer.post(report(2))]
        assert not futures[1].done()
        gate.set()
        for future in futures:
            future.result(5)
    finally:
        signals.heartbeat_failed.disconnect(slow)
    assert [changed["new"] for changed in received.changed] == ["failed", "passed"]


def test_receiver_that_exits_ends_nothing(announcer, received, caplog):
    """`sys.exit()` in a receiver is logged, and the next news is sent."""

    def exiting(**kwargs):
        raise SystemExit(3)

    signals.heartbeat_failed.connect(exiting)
    try:
        assert post(announcer, report(1, ERROR), report(2)) == [True, True]
    finally:
        signals.heartbeat_failed.disconnect(exiting)
    assert "SystemExit" in caplog.text
    assert len(received.passed) == 1


def test_news_waits_for_a_thread(announcer, received, monkeypatch):
    """At the limit of threads nothing is lost: the next news takes it along."""

    def refuse(function, *, name):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", refuse)
    first = announcer.post(report(1, ERROR))
    monkeypatch.undo()
    assert not first.done()
    assert post(announcer, report(2)) == [True]
    assert first.done()
    assert (len(received.failed), len(received.passed)) == (1, 1)


def test_waiting_news_is_bounded(announcer, monkeypatch):
    """While a receiver hangs, what waits behind it does not grow for ever."""
    monkeypatch.setattr(threads, "start", lambda function, *, name: None)
    for run in range(1, MOST_WAITING + 10):
        announcer.post(report(run))
    assert len(announcer._waiting) == MOST_WAITING
