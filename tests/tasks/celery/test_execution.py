"""A task in this process: it has its context while it runs, and none after it."""

import logging
import sys

import pytest
from celery import Celery, signals
from celery.exceptions import Ignore, Reject, Retry
from django.db import connection
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path
from gevent import GreenletExit, Timeout

from dockerflow_django.celery import instrument
from dockerflow_django.context import current_rid, request_id_context
from dockerflow_django.context.requests import start_request
from dockerflow_django.context.tasks import current_task
from dockerflow_django.context.trace import parse_traceparent
from dockerflow_django.tasks import record
from dockerflow_django.tasks.celery import execution, stages

TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
seen = []


ERRORS = {
    each.__name__: each for each in (GreenletExit, Ignore, Reject, SystemExit, Timeout, ValueError)
}

app = Celery("eager", broker="memory://", set_as_current=False, fixups=[])
app.conf.task_always_eager = True
instrument(app)


@app.task(name="look", shared=False)
def look():
    """Note what a log line of the task would show."""
    seen.append((current_rid(), current_task().name, current_task().task_id))


@app.task(name="raise", shared=False)
def raise_(name):
    raise ERRORS[name]


@app.task(name="query", shared=False)
def query(times):
    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


@app.task(name="outer", shared=False)
def outer():
    look.delay()


@app.task(name="ask", shared=False)
def ask():
    Client().get("/outer/")
    look()


def run_outer(request):
    outer.delay()
    return HttpResponse()


urlpatterns = [path("outer/", run_outer)]


@app.task(name="rename", shared=False)
def rename():
    request_id_context.set("renamed")


@pytest.fixture
def run():
    seen.clear()

    def run(name, *args, **options):
        return app.tasks[name].apply(args, **options)

    return run


def test_an_eager_task_keeps_the_request_s_id(run, records):
    """A task that runs in the request has its id and trace, and leaves the request as it was."""
    state = start_request("abc", parse_traceparent(TRACEPARENT))
    result = run("look")
    assert seen == [("abc", "look", result.id)]
    (found,) = records()
    assert (found.rid, found.trace_id, found.span_id) == ("abc", "1" * 32, "2" * 16)
    assert (found.task, found.task_id, found.state) == ("look", result.id, "SUCCESS")
    assert not hasattr(found, "queue")
    assert not hasattr(found, "routing_key")
    assert (current_rid(), current_task(), state.is_over) == ("abc", None, False)


def test_an_eager_task_without_a_request(run, records):
    """In a command or a shell it takes the id that it is given, or has its own."""
    run("look", headers={"dockerflow_rid": "given"})
    run("look")
    assert len(records()[1].rid) == 32
    assert current_rid() is None


def test_the_project_has_the_last_word(run, records):
    """An id that the task sets is the record's."""
    run("rename")
    assert [each.rid for each in records()] == ["renamed"]
    assert current_rid() is None


@pytest.mark.parametrize(
    ("name", "state", "level"),
    [
        ("Ignore", "IGNORED", logging.WARNING),
        ("Reject", "REJECTED", logging.WARNING),
        ("ValueError", "FAILURE", logging.ERROR),
        ("SystemExit", "FAILURE", logging.ERROR),
    ],
)
def test_states(run, records, name, state, level):
    """Each end has its record, in a pool without processes the exit too."""
    try:
        run("raise", name)
    except SystemExit:
        assert name == "SystemExit"
    (found,) = records()
    assert (found.state, found.levelno) == (state, level)
    assert found.getMessage() == (name if level == logging.ERROR else "")
    assert current_task() is None


def test_an_exit_in_a_child_of_the_pool(run, records, monkeypatch):
    """A child that ends with its task writes no record, since the main process does."""
    monkeypatch.setattr(stages, "_is_pool_child", True)
    with pytest.raises(SystemExit):
        run("raise", "SystemExit")
    assert records() == []
    assert current_task() is None
    run("raise", "ValueError")
    assert [each.state for each in records()] == ["FAILURE"]


def test_a_greenlet_that_is_killed(run, records):
    """It is what the worker has killed it for, else lost; its time limit makes it a failure."""

    class Killed:
        verdict = "REVOKED"

    request = execution.killed["1"] = Killed()
    for name, task_id in (("GreenletExit", "1"), ("GreenletExit", "2"), ("Timeout", "3")):
        with pytest.raises(ERRORS[name]):
            run("raise", name, task_id=task_id)
    assert [each.state for each in records()] == ["REVOKED", "LOST", "FAILURE"]
    del request
    assert not execution.killed


def test_without_greenlets(run, records, monkeypatch):
    """Where there are no greenlets, none has been killed."""
    monkeypatch.delitem(sys.modules, "greenlet")
    with pytest.raises(SystemExit):
        run("raise", "SystemExit")
    assert [each.state for each in records()] == ["FAILURE"]


def test_raised_to_the_caller(run, records):
    """An exception that an eager task passes on to its caller is a failure."""
    with pytest.raises(ValueError, match=r"^$"):
        run("raise", "ValueError", throw=True)
    assert [each.state for each in records()] == ["FAILURE"]


def test_while_an_exception_is_handled(run, records):
    """What the caller handles is no failure of the task."""
    try:
        {}["missing"]
    except KeyError:
        run("look")
    assert [each.state for each in records()] == ["SUCCESS"]


@pytest.mark.django_db
def test_queries_are_its_own(run, records):
    """A task counts its queries; so does the request that it runs in."""
    state = start_request("abc", None)
    run("query", 2)
    run("query", 1)
    assert [each.db_queries for each in records()] == [2, 1]
    assert len(state.query_seconds) == 3


def test_a_task_in_a_task(run, records):
    """Both have a record, with one id."""
    run("outer")
    assert [each.task for each in records()] == ["look", "outer"]
    assert len({each.rid for each in records()}) == 1


@override_settings(ROOT_URLCONF=__name__)
def test_a_task_in_a_request_in_a_task(run, records):
    """Each has its record; the rest of the outer task is still its own."""
    result = run("ask")
    inner, other = seen
    assert inner[1] == "look"
    assert other == (records()[-1].rid, "ask", result.id)
    assert [each.task for each in records()] == ["look", "outer", "ask"]
    assert len({each.rid for each in records()}) == 2
    assert (current_rid(), current_task()) == (None, None)


def test_nobody_reads(run, records, caplog):
    """A logger that is switched off costs no record."""
    caplog.set_level(logging.CRITICAL, record.SUMMARY_LOGGER)
    run("look")
    assert records() == []
    assert current_task() is None


def test_one_that_did_not_start(records):
    """A signal about a task that did not start here leaves no record."""
    signals.task_postrun.send(sender=app.tasks["look"], task=app.tasks["look"], state="SUCCESS")
    assert records() == []


@pytest.mark.parametrize("is_child", [False, True])
def test_a_failure_after_the_task(monkeypatch, is_child):
    """An exception on its way up wins over the state that Celery gives."""
    monkeypatch.setattr(stages, "_is_pool_child", is_child)
    task = app.tasks["look"]
    task.push_request(id="1")
    try:
        execution.start(task, "1")
        started = task.request.dockerflow_execution
        for error in (ValueError("the backend is away"), Reject("no"), Retry("again")):
            found = outcome_while_it_is_raised(started, error)
            assert found == (execution.state_of(error), error)
        execution.finish(task, "SUCCESS")
    finally:
        task.pop_request()
    assert sys.exception() is None


def outcome_while_it_is_raised(started, error):
    try:
        raise_it(error)
    except Exception:
        return execution._outcome_of(started, "SUCCESS", None)


def raise_it(error):
    raise error


@pytest.mark.parametrize(
    ("delivery_info", "route"),
    [
        ({"exchange": "", "routing_key": "celery"}, {"queue": "celery", "routing_key": "celery"}),
        ({"exchange": "nobody's", "routing_key": "mail"}, {"routing_key": "mail"}),
        ({"exchange": "nobody's", "routing_key": ""}, {}),
        ({"is_eager": True, "routing_key": "mail"}, {}),
        (None, {}),
    ],
)
def test_route(delivery_info, route):
    """The record names the queue and the routing key as far as they are known."""
    fields = {}
    execution.add_route(fields, app, delivery_info)
    assert fields == route
