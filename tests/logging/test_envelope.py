"""The top level of a line, of attributes at the edge of what it may hold."""

import time

import pytest

from dockerflow_django.logging.envelope import (
    MAX_TEXT,
    MAX_TIMESTAMP,
    as_text,
    nanoseconds,
    severity,
)

LAST = MAX_TIMESTAMP - 1024  # of a float's precision there


@pytest.mark.parametrize(("created", "timestamp"), [(0.0, 0), (1e-9, 1), (LAST / 1e9, LAST)])
def test_first_and_last_time(created, timestamp):
    """From 1970 on, as far as 63 bits reach."""
    assert nanoseconds(created) == timestamp


@pytest.mark.parametrize("created", [-1e-9, MAX_TIMESTAMP / 1e9, "now", None, float("nan")])
def test_no_time(created):
    """What is none, or beyond, is now."""
    before = time.time_ns()
    assert before <= nanoseconds(created) <= time.time_ns()


@pytest.mark.parametrize(
    ("level", "wanted"), [(9, 0), (10, 1), (11, 1), (20, 2), ("high", 0), (None, 0)]
)
def test_severity(level, wanted):
    """A level has the number of the highest one that it reaches."""
    assert severity(level, {10: 1, 20: 2}, 0) == wanted


def test_text():
    """A name is cut where it is too long, whatever it is."""
    assert as_text("x" * MAX_TEXT) == "x" * MAX_TEXT
    assert as_text("x" * MAX_TEXT + "y") == "x" * MAX_TEXT
    assert as_text(["a"]) == "['a']"
