"""What a report comes to in one sentence."""

import pytest
from django.core import checks

from dockerflow_django.health import ERROR_UNREADABLE_SETTING, INFO_STARTING
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result
from dockerflow_django.heartbeat.sentence import sentence_of

BROKEN = checks.Error("broken", id="shop.E001")


def said(names, failing, *, starting=False):
    """Return the sentence of a report of these checks, by their names."""
    results = {name: Result((BROKEN,) if name in failing else (), 0.1, 1) for name in names}
    if starting:
        message = checks.Info("Starting.", id=INFO_STARTING)
        results[LIFECYCLE] = Result((message,), 0.0, run=0)
        failing = (*failing, LIFECYCLE)
    return sentence_of(Report("heartbeat", results, not failing, frozenset(failing)))


@pytest.mark.parametrize("starting", [False, True])
@pytest.mark.parametrize(
    ("names", "failing", "expected"),
    [
        ("", "", "no check is configured"),
        ("a", "", "the only check passes"),
        ("a", "a", "the only check fails"),
        ("ab", "", "all 2 checks pass"),
        ("abc", "", "all 3 checks pass"),
        ("ab", "a", "1 of 2 checks fails"),
        ("ab", "ab", "2 of 2 checks fail"),
        ("abc", "ac", "2 of 3 checks fail"),
    ],
)
def test_number_of_checks_that_fail(names, failing, expected, starting):
    """Checks count, whatever the process says of itself."""
    assert said(names, failing, starting=starting) == expected


def test_setting_that_cannot_be_read():
    """It is no check that fails: which checks there are nobody knows."""
    message = checks.Error("No.", id=ERROR_UNREADABLE_SETTING)
    results = {"a": Result((), 0.1, 1), "DOCKERFLOW_CHECKS": Result((message,), 0.1, 1)}
    report = Report("heartbeat", results, passed=False, failing=frozenset({"DOCKERFLOW_CHECKS"}))
    assert sentence_of(report) == "DOCKERFLOW_CHECKS cannot be read"


def test_silenced_message_is_not_said(settings):
    """What is silenced is silent here as well."""
    settings.SILENCED_SYSTEM_CHECKS = [ERROR_UNREADABLE_SETTING]
    message = checks.Error("No.", id=ERROR_UNREADABLE_SETTING)
    report = Report("heartbeat", {"DOCKERFLOW_CHECKS": Result((message,), 0.1, 1)}, passed=True)
    assert sentence_of(report) == "the only check passes"
