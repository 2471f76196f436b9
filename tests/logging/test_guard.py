"""Formatting asks no database, and no value ends the process."""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.models import Group, Permission
from django.db import connection, connections
from django.test.utils import CaptureQueriesContext

from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter, guard
from dockerflow_django.logging.content import ERROR, MESSAGE
from dockerflow_django.logging.guard import DatabaseRefusedError, no_database
from dockerflow_django.logging.text import UNPRINTABLE
from tests.logging.lines import fields_of, make_record, raised


class Holder:
    """An object that shows what it holds."""

    def __init__(self, held):
        self.held = held

    def __repr__(self):
        return f"<Holder {self.held!r}>"


def records():
    """Return records that hold, in many ways, what asks the database when it is printed."""
    groups = Group.objects.all()
    permission = Permission(codename="x", content_type_id=1)  # its text names the content type
    return [
        make_record("x", it=groups),
        make_record("x", it=[groups, {"a": groups}]),
        make_record("x", it=Holder(groups)),
        make_record("x", it=permission),
        make_record("it is %s", (groups,)),
        make_record("it is %(it)r", ({"it": permission},)),
        make_record(groups),
        make_record("x", exc_info=raised(ValueError(groups))),
        make_record("x", it=ValueError(groups)),
        make_record({"it": groups}),
    ]


@pytest.mark.django_db
@pytest.mark.parametrize("make", [MozlogFormatter, lambda: ConsoleFormatter(color=False)])
def test_no_query(make):
    """A query set, a model with a related one, and what holds either."""
    with CaptureQueriesContext(connection) as queries:
        lines = [make().format(record) for record in records()]
    assert queries.captured_queries == []
    assert all(lines)
    assert Group.objects.count() == 0  # afterwards the connection is as it was


def test_a_query_set_is_told_to_be_unprintable(formatter):
    """The line says what it could not show."""
    fields = fields_of(formatter.format(make_record("said", it=Group.objects.all())))
    assert fields["it"] == f"{UNPRINTABLE}QuerySet: DatabaseRefusedError>"
    assert fields[MESSAGE] == "said"


@pytest.mark.django_db
def test_what_is_known_is_shown(formatter):
    """A query set that the view has evaluated is shown: that costs no query."""
    groups = Group.objects.all()
    assert list(groups) == []
    assert fields_of(formatter.format(make_record("x", it=groups)))["it"] == "<QuerySet []>"


@pytest.mark.django_db
def test_a_guard_within_a_guard_ends_with_the_outer():
    """What is formatted may log."""
    with no_database():
        with no_database():
            pass
        with pytest.raises(DatabaseRefusedError):
            connection.cursor()
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@pytest.mark.django_db
def test_other_threads_are_left_alone():
    """A test shares its connection with the threads that it starts: those may ask."""
    shared, found = connections["default"], []

    def ask():
        with shared.cursor() as cursor:
            found.append(cursor.execute("SELECT 5").fetchone())

    shared.inc_thread_sharing()
    with no_database():
        thread = threading.Thread(target=ask)
        thread.start()
        thread.join()
    shared.dec_thread_sharing()
    assert found == [(5,)]


@pytest.fixture
def in_threads():
    """Run a function in threads that share the test's connection, as LiveServerTestCase does."""
    shared = connections["default"]
    shared.inc_thread_sharing()

    def run(function, arguments):
        def work(argument):
            connections["default"] = shared
            return function(argument)

        with ThreadPoolExecutor(len(arguments)) as threads:
            return list(threads.map(work, arguments))

    yield run
    shared.dec_thread_sharing()


def ask(_=None):
    """Ask the database that this thread has."""
    with connections["default"].cursor() as cursor:
        return cursor.execute("SELECT 5").fetchone()


@pytest.mark.django_db
@pytest.mark.parametrize("last", [0, 1])
def test_guards_of_two_threads_that_overlap(in_threads, last):
    """Whichever ends last, each refuses its own thread until its end, and neither stays."""
    both_on, one_off = threading.Barrier(2), threading.Event()

    def work(number):
        with no_database():
            both_on.wait(timeout=30)
            assert number != last or one_off.wait(timeout=30)
            with pytest.raises(DatabaseRefusedError):
                ask()
        found = ask()
        one_off.set()
        return found

    before = set(vars(connections["default"]))
    assert in_threads(work, [0, 1]) == [(5,), (5,)]
    assert ask() == (5,)
    assert set(vars(connections["default"])) == before


@pytest.mark.django_db
def test_threads_that_format_at_once(in_threads, formatter):
    """Their connection is as it was when all have ended."""

    def work(number):
        for _ in range(50):
            record = make_record("x", it=Group.objects.all(), exc_info=raised(ValueError(number)))
            assert "DatabaseRefusedError" in fields_of(formatter.format(record))["it"]
        return number

    before = vars(connections["default"]).get("cursor")
    assert in_threads(work, [1, 2, 3, 4]) == [1, 2, 3, 4]
    assert vars(connections["default"]).get("cursor") is before
    assert ask() == (5,)


@pytest.mark.django_db
def test_what_others_have_put_in_a_cursors_place(monkeypatch):
    """It gets its arguments, comes back, and is left alone if it is put there meanwhile."""
    shared = connections["default"]
    monkeypatch.setattr(shared, "cursor", lambda *args, **kwargs: (args, kwargs), raising=False)
    theirs = shared.cursor
    with no_database():
        guarded = shared.cursor
    assert guarded(1, name="a") == ((1,), {"name": "a"})
    assert shared.cursor is theirs
    with no_database():
        shared.cursor = ask
    assert shared.cursor is ask
    shared.cursor = guarded  # as one who has kept it puts it back
    with no_database(), pytest.raises(DatabaseRefusedError):
        shared.cursor()
    assert shared.cursor is theirs


@pytest.mark.django_db
def test_a_lock_that_was_held_during_a_fork(in_threads):
    """A child, in which its thread does not live on, formats all the same."""
    guard._lock.acquire()
    guard.reset()

    def work(_):
        with no_database(), pytest.raises(DatabaseRefusedError):
            ask()
        return ask()

    assert in_threads(work, [0]) == [(5,)]


@pytest.mark.parametrize("kind", [SystemExit, KeyboardInterrupt, GeneratorExit, BaseException])
def test_no_value_ends_the_process(formatter, kind):
    """Whatever its text raises, it costs itself and nothing else."""

    class Fatal:
        def __repr__(self):
            raise kind

        __str__ = __repr__

    class FatalError(Exception):
        __str__ = __repr__ = Fatal.__repr__

    for record in (
        make_record("said", it=Fatal(), other=1),
        make_record("said", it={"a": [Fatal()]}, other=1),
        make_record("said %s", (Fatal(),), other=1),
        make_record(Fatal(), other=1),
        make_record("said", exc_info=raised(FatalError()), other=1),
        make_record("said", it={Fatal(): 1}, other=1),
    ):
        fields = fields_of(formatter.format(record))
        assert fields["other"] == 1
        assert "said" in fields[MESSAGE] or kind.__name__ in fields[MESSAGE]
        assert "other=1" in ConsoleFormatter(color=False).format(record)


def test_an_exception_without_a_text_has_its_class(formatter):
    """Its traceback is Python's own."""

    class FatalError(Exception):
        def __str__(self):
            raise SystemExit

    fields = fields_of(formatter.format(make_record("x", exc_info=raised(FatalError()))))
    assert "FatalError" in fields[ERROR]
    assert "<exception str() failed>" in fields["traceback"]


def test_logging_goes_on_after_a_fatal_value(stream, formatter):
    """As a program does it; the logger has no parent, whose handlers are pytest's."""
    logger = logging.Logger("tests.fatal")  # noqa: LOG001 - see above
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)

    class Fatal:
        def __repr__(self):
            raise SystemExit(1)

    logger.info("one %r", Fatal())
    logger.info("two")
    assert len(stream.getvalue().splitlines()) == 2
