"""Django's own Tasks leave a record each, with the id of the request that they run in."""

import logging
from contextlib import suppress

import django
import pytest
from django.db import connection
from django.http import JsonResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path

from dockerflow_django.context import current_rid
from dockerflow_django.context.requests import start_request
from dockerflow_django.context.tasks import current_task
from dockerflow_django.context.trace import parse_traceparent
from dockerflow_django.tasks import record
from tests.summary.conftest import site  # noqa: F401
from tests.summary.drive import asgi, begin_wsgi

if django.VERSION < (6, 0):
    pytest.skip("Django has Tasks since 6.0", allow_module_level=True)

from django.tasks import task
from django.tasks.signals import task_finished, task_started

IMMEDIATE = {"default": {"BACKEND": "django.tasks.backends.immediate.ImmediateBackend"}}
TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
seen = []


@task
def look():
    """Note what a log line of the task would show."""
    seen.append((current_rid(), current_task().name, current_task().task_id))


@task(queue_name="default")
def query():
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


@task
def fail():
    raise ValueError("no luck\nat all, password=hunter2")


@task
async def look_async():
    seen.append((current_rid(), current_task().name, current_task().task_id))


@task
def outer():
    look.enqueue()


@task
def interrupt():
    raise KeyboardInterrupt


@task
def outer_of_an_interrupted_one():
    with suppress(KeyboardInterrupt):
        interrupt.enqueue()


def interrupted(request):
    with suppress(KeyboardInterrupt):
        interrupt.enqueue()
    return JsonResponse({"task": current_task().name})


async def interrupted_async(request):
    with suppress(KeyboardInterrupt):
        await interrupt.aenqueue()
    return JsonResponse({"task": current_task().name})


def enqueue(request):
    look.enqueue()
    return JsonResponse({"task": current_task().name})


async def enqueue_async(request):
    await look.aenqueue()
    return JsonResponse({"task": current_task().name})


@task
def ask():
    assert Client().get("/enqueue/").json() == {"task": ask.module_path}
    look.enqueue()


@task
async def ask_async():
    answer = await AsyncClient().get("/async/enqueue/")
    assert answer.json() == {"task": ask_async.module_path}
    await look.aenqueue()


def tell(request):
    return JsonResponse({"task": current_task() and current_task().name})


async def tell_async(request):
    return tell(request)


urlpatterns = [
    path("interrupted/", interrupted),
    path("async/interrupted/", interrupted_async),
    path("enqueue/", enqueue),
    path("async/enqueue/", enqueue_async),
    path("tell/", tell),
    path("async/tell/", tell_async),
]


@pytest.fixture(autouse=True)
def immediate():
    seen.clear()
    with override_settings(TASKS=IMMEDIATE):
        yield


@pytest.mark.parametrize("looks", [look, look_async], ids=["sync", "async"])
def test_in_a_request_it_keeps_the_id(records, looks):
    """A task that runs in a request's process has its id and its trace, and no other after it."""
    start_request("abc", parse_traceparent(TRACEPARENT))
    result = looks.enqueue()
    (found,) = records()
    assert seen == [("abc", looks.module_path, result.id)]
    assert (found.rid, found.trace_id, found.task_id) == ("abc", "1" * 32, result.id)
    assert (found.state, found.levelno, found.queue, found.retries) == ("SUCCESS", 20, "default", 0)
    assert (found.task, found.getMessage()) == (looks.module_path, "")
    assert (current_rid(), current_task()) == ("abc", None)


async def test_under_asgi(records):
    """A task that an async view enqueues has the request's id too, and leaves none behind."""
    start_request("abc", None)
    result = await look.aenqueue()
    assert seen == [("abc", look.module_path, result.id)]
    assert [each.rid for each in records()] == ["abc"]
    assert current_task() is None


def test_elsewhere_it_has_an_id_of_its_own(records):
    """A task that no request has caused has 32 hex digits, and leaves them behind nowhere."""
    look.enqueue()
    look.enqueue()
    one, other = [each.rid for each in records()]
    assert (len(one), len(other), one == other) == (32, 32, False)
    assert current_rid() is None


def test_failure(records):
    """A failure is an error, and its message has no secret and one line."""
    fail.enqueue()
    (found,) = records()
    assert (found.state, found.levelno) == ("FAILURE", logging.ERROR)
    assert found.getMessage() == "ValueError: no luck"


@pytest.mark.django_db
def test_queries_are_its_own(records):
    """A task counts its own queries; the request counts them as well."""
    state = start_request("abc", None)
    query.enqueue()
    query.enqueue()
    assert [each.db_queries for each in records()] == [1, 1]
    assert len(state.query_seconds) == 2


def test_a_task_in_a_task(records):
    """Each of two tasks that lie in each other has its own record."""
    outer.enqueue()
    assert [each.task for each in records()] == [look.module_path, outer.module_path]
    assert len({each.rid for each in records()}) == 1


def test_one_that_was_started_elsewhere(records):
    """A signal about a task that did not start here leaves no record."""
    result = look.enqueue()
    task_finished.send(sender=None, task_result=result)
    assert len(records()) == 1


def test_nobody_reads(records, caplog):
    """A logger that is switched off costs no record."""
    caplog.set_level(logging.CRITICAL, record.SUMMARY_LOGGER)
    look.enqueue()
    assert records() == []
    assert current_task() is None


@override_settings(ROOT_URLCONF=__name__)
def test_one_that_never_ends(records):
    """Django tells nobody that a task was interrupted: it is over with its request."""
    client = Client()
    assert client.get("/interrupted/").json() == {"task": interrupt.module_path}
    assert current_task() is None
    assert client.get("/tell/").json() == {"task": None}
    assert records() == []


@override_settings(ROOT_URLCONF=__name__)
async def test_one_that_never_ends_under_asgi(records):
    """What an async view has left does not reach the next request of its context either."""
    client = AsyncClient()
    assert (await client.get("/async/interrupted/")).json() == {"task": interrupt.module_path}
    assert (await client.get("/async/tell/")).json() == {"task": None}
    assert records() == []


def test_one_that_a_receiver_does_not_let_begin(records):
    """A receiver of the project that raises leaves no record, and nothing in the next request."""

    def refuse(**kwargs):
        raise LookupError

    start_request("abc", None)
    task_started.connect(refuse)
    try:
        with pytest.raises(LookupError):
            look.enqueue()
    finally:
        task_started.disconnect(refuse)
    start_request("def", None)
    assert (current_rid(), current_task()) == ("def", None)
    assert records() == []


def test_an_interrupted_task_in_a_task(records):
    """A task ends, and leaves its record, although one in it never did."""
    outer_of_an_interrupted_one.enqueue()
    assert [each.task for each in records()] == [outer_of_an_interrupted_one.module_path]
    assert (current_rid(), current_task()) == (None, None)


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("asks", [ask, ask_async], ids=["sync", "async"])
def test_a_task_in_a_request_in_a_task(records, asks):
    """Each has its record; the outer one goes on with its id, and leaves none to the next."""
    asks.enqueue()
    inner, second, outer = records()
    assert [each.task for each in records()] == [look.module_path] * 2 + [asks.module_path]
    assert inner.rid != second.rid == outer.rid
    assert {each.state for each in records()} == {"SUCCESS"}
    assert (current_rid(), current_task()) == (None, None)


def test_one_that_never_ends_outside_a_request(records):
    """The first request that a server begins in that thread is its end."""
    outside_a_request()
    begin_wsgi("/plain/").close()
    assert (current_rid(), current_task()) == (None, None)
    assert records() == []


async def test_one_that_never_ends_outside_a_request_under_asgi(records):
    """So is that of an asynchronous server."""
    outside_a_request()
    sent = []

    async def send(message):
        sent.append((message["type"], current_rid(), current_task()))

    await asgi("/async/plain/", send, headers={"X-Request-ID": "abc"})
    assert sent[-1] == ("http.response.body", "abc", None)
    assert records() == []


def test_one_inside_one_that_never_ends(records):
    """It leaves its record, and the interrupted one ends with the next request all the same."""
    outside_a_request()
    look.enqueue()
    begin_wsgi("/plain/").close()
    assert (current_rid(), current_task()) == (None, None)
    assert [each.task for each in records()] == [look.module_path]


def outside_a_request():
    with suppress(KeyboardInterrupt):
        interrupt.enqueue()
    assert current_task().name == interrupt.module_path
