"""What a report adds to what is known."""

import pytest
from django.core import checks

from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.heartbeat.updates import UpdateTracker

ERROR = checks.Error("broken", id="shop.E001")


@pytest.fixture
def tracker():
    return UpdateTracker()


def enter(tracker, run, *messages, probe="heartbeat", **more):
    """Enter the report of one check that ran for the `run`-th time; return what it adds."""
    results = {"stock": Result(messages, 0.1, run, **more)}
    return [
        (update.is_new, update.is_new_run)
        for update in tracker.updates(Report(probe, results, passed=not messages))
    ]


def test_a_later_run_adds_to_what_is_known(tracker):
    """Each run is new once, whichever probes report it."""
    assert enter(tracker, 1) == [(True, True)]
    assert enter(tracker, 1, probe="readiness") == [(False, False)]
    assert enter(tracker, 2) == [(True, True)]


def test_an_older_run_adds_nothing(tracker):
    """A probe that holds on to its first result does not make the check change with every probe."""
    enter(tracker, 7, ERROR)
    assert enter(tracker, 1, probe="readiness") == []


def test_a_run_s_end_is_new_and_no_new_run(tracker):
    """A run that was overdue and then ends is told of both times."""
    assert enter(tracker, 3, ERROR, is_finished=False) == [(True, True)]
    assert enter(tracker, 3) == [(True, False)]
    assert enter(tracker, 3, ERROR, is_finished=False) == []


def test_a_pending_result_adds_nothing(tracker):
    """That it is too early to know is nothing to know."""
    message = checks.Info("no answer yet")
    assert enter(tracker, 1, message, is_finished=False, is_pending=True) == []
    assert enter(tracker, 1) == [(True, True)]


def test_what_the_process_says_of_itself_is_no_run(tracker):
    """It is an update each time, and never a new run."""
    assert enter(tracker, 0, ERROR) == [(False, False)]
    assert enter(tracker, 0) == [(False, False)]


def test_a_reset_forgets(tracker):
    """A forked child counts from the beginning."""
    enter(tracker, 7)
    tracker.reset()
    assert enter(tracker, 1) == [(True, True)]
