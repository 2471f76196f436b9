"""Since when a check answers what it answers."""

from django.core import checks

from dockerflow_django.endpoints.page.changes import last_change, note
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.testing import replace_check

ERROR = checks.Error("an error", id="shop.E001")


def found(run: int, at: float, *messages: checks.CheckMessage) -> Report:
    result = Result(messages, 0.1, run, timestamp=at)
    return Report("heartbeat", {"check_mail": result}, not messages)


def test_time_is_that_of_the_first_answer_of_its_kind():
    """Answers of the same level move nothing; another level begins anew, for good."""
    for run, at, messages in [(1, 10, ()), (2, 20, ()), (3, 30, (ERROR,)), (4, 40, (ERROR,))]:
        note(found(run, at, *messages))
    change = last_change("check_mail")
    assert (change.status, change.since, change.is_first) == ("error", 30, False)


def test_first_answer_is_told_as_such():
    """Before it was asked nobody knows how it was."""
    assert last_change("check_mail") is None
    note(found(1, 10))
    assert last_change("check_mail").is_first


def test_an_older_answer_is_no_change():
    """A probe that reuses what it found once does not undo what was found since."""
    note(found(8, 80, ERROR))
    note(found(7, 70))
    assert last_change("check_mail").status == "error"


def test_heartbeats_are_heard():
    """Whoever asks for a heartbeat, its results are noticed."""
    with (
        replace_check("check_database_connected", ERROR),
        replace_check("check_migrations_applied"),
    ):
        evaluate()
    assert last_change("check_database_connected").status == "error"
