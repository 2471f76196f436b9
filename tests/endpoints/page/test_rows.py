"""What a row says of a check, and how it says it."""

import pytest
from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django.endpoints.page.changes import note
from dockerflow_django.endpoints.page.rows import duration, failing_rows, parts_of, passing_rows
from dockerflow_django.heartbeat.report import Report, Result

ERROR = checks.Error("an error", hint="Do this.", id="shop.E001")


def report(probe: str, failing: set[str], **found: list[CheckMessage]) -> Report:
    results = {name: Result(tuple(each), 0.1, run=1) for name, each in found.items()}
    return Report(probe, results, not failing, frozenset(failing))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (-1, "0.0 ms"),
        (0.0012, "1.2 ms"),
        (0.0123, "12 ms"),
        (1.25, "1.2 s"),
        (119, "119 s"),
        (120, "2.0 min"),
        (7199, "120 min"),
        (7200, "2 h"),
        (86400 * 3, "3 days"),
    ],
)
def test_durations_have_the_unit_that_suits(seconds: float, text: str):
    """Two digits or so are enough, in a unit that keeps them."""
    assert duration(seconds) == text


@pytest.mark.parametrize("name", ["check_mail", "shop.checks.check_door#2", "__a__", "", "."])
def test_parts_of_a_name_are_the_whole_name(name: str):
    """Nothing is lost where a line may break."""
    assert "".join(parts_of(name)) == name


def test_parts_end_inside_of_names():
    """A sentence has its spaces; what has none may break behind underscores and dots."""
    parts = ("Unapplied migration types.", "0002_", "remove_", "name. And more.")
    assert parts_of("Unapplied migration types.0002_remove_name. And more.") == parts


def test_checks_of_probes_alone_follow_those_of_the_heartbeat():
    """A check that only readiness asks is told with its message, and once."""
    heartbeat = report("heartbeat", {"check_mail"}, check_mail=[checks.Warning("slow")])
    alone = {"check_mail": [], "check_door": [ERROR]}
    probes = [report(name, {"check_door"}, **alone) for name in ("readiness", "startup")]
    mail, door = failing_rows(heartbeat, probes)
    assert (mail.name[-1], mail.asked_by) == ("mail", "")
    assert (door.name[-1], door.asked_by) == ("door", "readiness and startup")
    assert door.messages == (("shop.E001", ("an error",), ("Do this.",)),)


def test_passing_checks_are_those_with_a_message_and_the_others():
    """What passes with a warning is not folded away, and comes before an information."""
    heartbeat = report(
        "heartbeat",
        set(),
        check_mail=[],
        check_info=[checks.Info("by the way", id="shop.I001")],
        check_slow=[checks.Warning("slow")],
    )
    told, quiet = passing_rows(heartbeat)
    assert [(row.status, row.sign) for row in told] == [("warning", "triangle"), ("info", "letter")]
    assert [(row.status, row.sign) for row in quiet] == [("ok", "tick")]


def test_message_without_an_id_has_none():
    """The level that stands in for an id in the JSON is in the column of states already."""
    heartbeat = report("heartbeat", {"a"}, a=[checks.Error("one"), checks.Error("two")])
    (row,) = failing_rows(heartbeat, [])
    assert row.messages == (("", ("one",), ()), ("", ("two",), ()))


@pytest.mark.parametrize(
    ("ages", "text"), [([30], "at least 30 s"), ([90, 30], "30 s"), ([0], "under 1 s")]
)
def test_time_since_a_change_is_told(ages: list[int], text: str, monkeypatch: pytest.MonkeyPatch):
    """Whether it was so before the process first asked, nobody knows."""
    now = 1_800_000_000.0
    monkeypatch.setattr("time.time", lambda: now)
    for run, age in enumerate(ages, 1):
        messages = (ERROR,) if age == ages[-1] else ()
        result = Result(messages, 0.1, run, timestamp=now - age)
        note(found := Report("heartbeat", {"a": result}, not messages, frozenset("a")))
    (row,) = failing_rows(found, [])
    assert row.lasts == text
