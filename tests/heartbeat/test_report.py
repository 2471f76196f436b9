"""What a heartbeat's answer says."""

import os
import time

import pytest
from django.core import checks

from dockerflow_django.heartbeat.report import (
    Report,
    Result,
    fails_as_expected,
    hints_of,
    keyed,
    status_of,
    worst,
    worst_first,
)


def result(*messages, **options):
    return Result(messages, 0.01234, 1, **options)


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (0, "ok"),
        (5, "ok"),
        (10, "debug"),
        (20, "info"),
        (25, "info"),
        (30, "warning"),
        (40, "error"),
        (49, "error"),
        (50, "critical"),
        (99, "critical"),
        (-5, "ok"),
    ],
)
def test_status_of_a_level_is_the_lower_name(level, status):
    """A level between two names takes the lower one's text, and none is unknown."""
    assert status_of(level) == status


@pytest.mark.parametrize(
    ("probe", "passes"),
    [("heartbeat", True), ("liveness", True), ("readiness", False), ("startup", False)],
)
def test_result_that_is_pending_keeps_a_process_from_being_ready(probe, passes):
    """It is too early to know, and nothing that has begun fails for that."""
    assert result(is_finished=False, is_pending=True).passes(probe) is passes


def test_worst_of_nothing_is_zero():
    """No message, no level."""
    assert worst([]) == 0


def test_messages_of_one_id_are_all_shown():
    """D13: the second message of an id gets #2; nothing collapses."""
    messages = [checks.Warning(f"migration {n}", id="dockerflow.health.W001") for n in (1, 2, 3)]
    assert keyed(messages) == {
        "dockerflow.health.W001": "migration 1",
        "dockerflow.health.W001#2": "migration 2",
        "dockerflow.health.W001#3": "migration 3",
    }


def test_id_that_looks_numbered_hides_no_other():
    """An id may end with what tells two of one id apart."""
    messages = [checks.Error(text, id=id_) for text, id_ in [("a", "x#2"), ("b", "x"), ("c", "x")]]
    assert keyed(messages) == {"x#2": "a", "x": "b", "x#3": "c"}


def test_message_without_id_is_keyed_by_its_level():
    """A missing id is no null key (python-dockerflow)."""
    assert keyed([checks.Error("one"), checks.Error("two")]) == {"error": "one", "error#2": "two"}


def test_secrets_in_messages_and_hints_are_replaced():
    """A project's check may quote an exception that quotes its connection string."""
    url = "redis://:hunter2@cache"
    message = checks.Error(f"no answer from {url}", hint=f"Ask {url}.", id="x")
    shown = {"x": "no answer from redis://[redacted]@cache"}
    assert keyed([message]) == shown
    assert hints_of([message]) == {"x": "Ask redis://[redacted]@cache."}
    assert Report("heartbeat", {"a": result(message)}, passed=False).messages() == {"a": shown}


def test_text_can_be_written_in_every_encoding(tmp_path):
    """A check may quote the name of a file, which need not be UTF-8."""
    (tmp_path / os.fsdecode(b"caf\xe9")).touch()
    (name,) = (path.name for path in tmp_path.iterdir())
    message = checks.Error(f"{name} is old.", hint=f"Remove {name}.", id=name)
    assert keyed([message]) == {r"caf\udce9": r"caf\udce9 is old."}
    assert hints_of([message]) == {r"caf\udce9": r"Remove caf\udce9."}


BROKEN = result(checks.Info("low"), fail_level=checks.INFO)
PENDING = result(checks.Info("no answer yet"), is_finished=False, is_pending=True)
WAITING = result(checks.Info("no database yet"), once=True)
UNAPPLIED = result(checks.Warning("unapplied"), once=True)
DRAINING = Result((checks.Info("draining"),), 0.0, run=0)
STALLED = Result((checks.Error("stalled"),), 0.0, run=0)


@pytest.mark.parametrize(
    ("probe", "failing", "is_expected"),
    [
        ("readiness", [DRAINING], True),
        ("readiness", [PENDING], True),
        ("readiness", [PENDING, DRAINING], True),
        ("readiness", [WAITING], True),
        ("readiness", [UNAPPLIED], False),
        ("readiness", [BROKEN], False),
        ("readiness", [BROKEN, DRAINING], False),
        ("liveness", [STALLED], False),
        ("readiness", [], False),
        ("heartbeat", [BROKEN], False),
    ],
)
def test_only_the_life_of_the_process_is_expected_to_fail(probe, failing, is_expected):
    """Starting and draining are no errors, and neither is a check of which nothing is known yet."""
    results = {"passing": result(checks.Info("hm")), **dict(enumerate(failing))}
    report = Report(probe, results, passed=not failing, failing=frozenset(range(len(failing))))
    assert fails_as_expected(report) is is_expected


def test_silenced_messages_do_not_count(settings):
    """D15: SILENCED_SYSTEM_CHECKS is applied before anything is counted, shown or logged."""
    settings.SILENCED_SYSTEM_CHECKS = ["shop.E001"]
    found = result(checks.Error("silent", id="shop.E001"), checks.Warning("loud", id="shop.W001"))
    assert found.level == checks.WARNING
    assert [message.id for message in found.spoken] == ["shop.W001"]


def test_payload_without_details_is_the_status_alone():
    """Who may not see details learns nothing of the checks."""
    report = Report("heartbeat", {"a": result(checks.Error("secret"))}, passed=False)
    assert report.payload(details=False) == {"status": "error"}


def test_payload_with_details_names_all_and_details_those_with_a_level():
    """The body has python-dockerflow's keys, and beside them how long and how old."""
    results = {
        "good": result(),
        "bad": result(checks.Error("broken", id="shop.E001")),
        "low": result(checks.CheckMessage(1, "hm")),
        "none": result(checks.CheckMessage(0, "hm")),
    }
    payload = Report("heartbeat", results, passed=False).payload(details=True)
    detail = payload["details"]["bad"]
    assert payload["status"] == "error"
    assert payload["checks"] == {"good": "ok", "bad": "error", "low": "ok", "none": "ok"}
    assert list(payload["details"]) == ["bad", "low"]
    assert detail["status"] == "error"
    assert detail["level"] == checks.ERROR
    assert detail["messages"] == {"shop.E001": "broken"}
    assert detail["duration_ms"] == 12.34
    assert 0 <= detail["age_ms"] < 10_000


def test_worst_first():
    """What fails the whole comes before what does not, then the higher level."""
    results = {
        "fine": result(),
        "warns": result(checks.Warning("odd")),
        "fails": result(checks.Info("low")),
        "breaks": result(checks.Error("broken")),
        "excused": result(checks.Critical("worse")),
    }
    report = Report("heartbeat", results, passed=False, failing=frozenset({"breaks", "fails"}))
    expected = ["breaks", "fails", "excused", "warns", "fine"]
    assert worst_first(report) == [(name, results[name]) for name in expected]


def test_details_have_hints_where_there_are_some():
    """By the keys of the messages."""
    hinted, bare = checks.Error("a", hint="Ask.", id="x"), checks.Error("b", id="y")
    results = {"hinted": result(hinted, bare), "bare": result(bare)}
    details = Report("heartbeat", results, passed=False).payload(details=True)["details"]
    assert details["hinted"]["hints"] == {"x": "Ask."}
    assert "hints" not in details["bare"]


def test_times_are_milliseconds(monkeypatch):
    """To the microsecond."""
    found = Result((checks.Error("a"),), 0.01234567, 1, answered_at=100.0)
    monkeypatch.setattr(time, "monotonic", lambda: 101.23456789)
    detail = Report("heartbeat", {"a": found}, passed=False).payload(details=True)["details"]["a"]
    assert (detail["duration_ms"], detail["age_ms"]) == (12.346, 1234.568)


def test_outcome_has_the_signals_words():
    """A report passed or failed, as the signals are named."""
    assert Report("readiness", {}, passed=True).outcome == "passed"
    assert Report("readiness", {}, passed=False).outcome == "failed"
