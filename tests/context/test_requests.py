"""The request that code runs for: its id is nobody else's, and ends with it."""

import asyncio
import gc
import string
import threading

import pytest
from asgiref.sync import sync_to_async
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.http import JsonResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings

from dockerflow_django.context import Trace, current_rid, current_trace, request_id_context
from dockerflow_django.context.requests import (
    activate,
    current_state,
    end_inner_request,
    end_request,
    restore,
    start_request,
)
from tests.summary.conftest import ask, lines, site, summaries  # noqa: F401
from tests.summary.drive import asgi, begin_wsgi

RID = "X-Request-ID"


def test_outside_of_a_request_there_is_nothing():
    """No id, no trace, no state."""
    end_request()
    assert (current_rid(), current_trace(), current_state()) == (None, None, None)


def test_a_request_has_its_trace():
    """As the client sent it, None where it sent none."""
    trace = Trace("1" * 32, "2" * 16)
    assert start_request("a", trace).trace == current_trace() == trace
    start_request("b", None)
    assert current_trace() is None


def test_resuming_is_undone():
    """Where a stream is read in another request's context, that request goes on afterwards."""
    first = start_request("first", None)
    second = start_request("second", None)
    resumed = activate(first)
    assert (current_rid(), current_state()) == ("first", first)
    assert activate(first) is None
    restore(None)
    assert current_rid() == "first"
    restore(resumed)
    assert (current_rid(), current_state()) == ("second", second)


def test_a_resumed_request_may_have_ended_meanwhile():
    """The request before it goes on all the same."""
    first = start_request("first", None)
    second = start_request("second", None)
    resumed = activate(first)
    end_request()
    assert current_state() is None
    restore(resumed)
    assert (current_rid(), current_state()) == ("second", second)


def test_a_request_that_outlives_its_outer_one():
    """Once both have ended there is none."""
    outer = start_request("outer", None)
    outer.is_running = True
    start_request("inner", None)
    outer.is_running = False
    end_request()
    assert (current_rid(), current_state()) == (None, None)


def test_an_inner_request_that_has_ended_already():
    """To end it once more leaves the outer one alone."""
    outer = start_request("outer", None)
    outer.is_running = True
    inner = start_request("inner", None)
    end_inner_request(inner)
    end_inner_request(inner)
    assert (current_rid(), current_state()) == ("outer", outer)


def test_the_variable_goes_by_python_dockerflows_name():
    """Code that reads the peer's context variable finds ours of that name."""
    start_request("abc", None)
    assert request_id_context.get() == "abc"


def test_the_response_carries_the_id(ask):
    """The client can quote it: it is the one that the view had (D11, django-structlog)."""
    answer = ask("/rid/", X_Request_ID="abc-1")
    assert answer.headers["x-request-id"] == answer.json["rid"] == "abc-1"
    answer = ask("/rid/")
    assert answer.headers["x-request-id"] == answer.json["rid"]


@pytest.mark.parametrize("rid", ["7" * 20_000, "a\r\nX-Evil: 1", "a\0b", "grün", "", "a,b"])
def test_an_invalid_id_comes_back_as_another(ask, summaries, rid):
    """Neither the response nor the record ever holds it (D11, django-log-request-id)."""
    answer = ask("/rid/", X_Request_ID=rid)
    made = answer.headers["x-request-id"]
    assert len(made) == 32
    assert set(made) <= set(string.hexdigits)
    assert summaries[0].rid == made
    assert "x-evil" not in answer.headers


@pytest.mark.parametrize("url", ["/broken/", "/missing-raised/", "/denied/", "/nowhere/", "/file/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_failures_carry_the_id(ask, url):
    """Who has a problem has an id to quote (D11)."""
    assert ask(url, X_Request_ID="abc-1").headers["x-request-id"] == "abc-1"


def test_the_endpoints_carry_the_id(ask):
    """A load balancer's answer as well."""
    with override_settings(MIDDLEWARE=["dockerflow_django.middleware.DockerflowMiddleware"]):
        headers = Client().get("/__lbheartbeat__", headers={RID: "abc-1"}).headers
    assert headers[RID] == "abc-1"


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_header_no_id_is_taken_or_returned(name):
    """A project may keep its ids to itself; every request still has one."""
    with override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME=name):
        headers = Client().get("/__lbheartbeat__", headers={RID: "abc-1", "": "abc-2"}).headers
    assert "abc" not in str(headers)
    assert RID not in headers


@override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME="X-Amzn-Trace-Id")
def test_the_header_may_have_another_name(ask):
    """It is read and written under that name alone."""
    answer = ask("/rid/", X_Amzn_Trace_Id="abc-1", X_Request_ID="abc-2")
    assert (answer.headers["x-amzn-trace-id"], answer.json["rid"]) == ("abc-1", "abc-1")
    assert "x-request-id" not in answer.headers


@pytest.mark.parametrize("url", ["/missing-raised/", "/broken/", "/denied/", "/nowhere/"])
def test_djangos_own_records_have_the_id(ask, lines, url):
    """They are written after the middleware is done (django-structlog clears too early)."""
    ask(url, X_Request_ID="abc-1")
    found = [line.rid for line in lines if line.name.startswith("django.request")]
    assert found == ["abc-1"]


def test_the_projects_records_have_the_id(ask, lines):
    """Whatever the view logs, in whichever thread it runs."""
    ask("/rid/", X_Request_ID="abc-1")
    assert [line.rid for line in lines if line.name == "shop"] == ["abc-1"]


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_records_during_a_stream_have_the_id(ask, lines):
    """Its parts are made after the middleware is done."""
    ask("/stream/", X_Request_ID="abc-1")
    assert [line.rid for line in lines if line.name == "shop"] == ["abc-1"]


def test_a_trace_is_the_views_and_the_records(ask, summaries):
    """Valid, it is there; else it is not."""
    trace, span = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
    assert ask("/rid/", traceparent=f"00-{trace}-{span}-01").json["trace"] == [trace, span]
    assert (summaries[0].trace_id, summaries[0].span_id) == (trace, span)
    assert ask("/rid/", traceparent="nonsense").json["trace"] is None
    assert not hasattr(summaries[1], "trace_id")


@pytest.mark.parametrize("url", ["/plain/", "/broken/", "/stream/", "/missing-raised/"])
def test_after_a_request_the_thread_is_nobodys(url):
    """A worker thread goes on without the id of what it has done (D10)."""
    response = Client(raise_request_exception=False).get(url)
    b"".join(response)
    assert (current_rid(), current_state()) == (None, None)


@pytest.mark.parametrize("url", ["/plain/", "/broken/", "/missing-raised/"])
async def test_after_a_request_the_task_is_nobodys(url):
    """Neither is the task, where a server would use it again (D10)."""
    await AsyncClient(raise_request_exception=False).get(f"/async{url}")
    assert (current_rid(), current_state()) == (None, None)


async def test_after_a_request_the_loop_is_nobodys():
    """What the event loop does besides has never had the id."""
    begun, over = asyncio.Event(), asyncio.Event()
    rids = []

    async def watch():
        await begun.wait()
        rids.append(current_rid())
        over.set()

    async def send(message):
        begun.set()
        await over.wait()

    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        group.create_task(watch())
        group.create_task(asgi("/async/plain/", send))
    assert (rids, current_rid()) == ([None], None)


def test_a_stream_that_is_closed_unread_leaves_the_thread():
    """The server closes it, and that is its end."""
    response = begin_wsgi("/stream/")
    assert current_rid() is not None
    response.close()
    assert current_rid() is None


def test_a_stream_that_nobody_closes_ends_with_the_next_request():
    """The thread's next request begins without what the last one left (D10)."""
    response = begin_wsgi("/stream/")
    del response
    gc.collect()
    request_started.send(None, environ={})
    assert (current_rid(), current_state()) == (None, None)


def test_the_end_of_a_request_is_heard_once_and_always():
    """The signal is the end, whoever sends it."""
    start_request("abc", None)
    request_finished.send(None)
    assert (current_rid(), current_state()) == (None, None)


def test_threads_of_a_request_have_its_id():
    """`sync_to_async` and tasks carry it; a bare thread has none."""

    async def work():
        start_request("abc", None)
        seen = [await sync_to_async(current_rid)()]
        seen.append(await sync_to_async(current_rid, thread_sensitive=False)())

        async def task():
            return current_rid()

        seen.append(await asyncio.create_task(task()))
        return seen

    assert asyncio.run(work()) == ["abc"] * 3


async def test_concurrent_asynchronous_requests_do_not_share(monkeypatch):
    """Twenty wait for each other in the middle: each has its own id before and after.

    django-log-request-id keeps it in a `threading.local`, which they would share.
    """
    barrier = asyncio.Barrier(20)
    answers = []

    async def answer(self, request):
        before = current_rid()
        await barrier.wait()
        inside = await asyncio.create_task(_later())
        return JsonResponse({"ids": [before, inside, current_rid()]})

    monkeypatch.setattr(ASGIHandler, "_get_response_async", answer)

    async def ask(rid):
        sent = []

        async def send(message):
            sent.append(message)

        await asgi("/", send, headers={RID: rid})
        answers.append((rid, sent[1]["body"].decode()))

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        for number in range(20):
            group.create_task(ask(f"rid-{number}"))
    assert sorted(answers) == sorted(
        (rid, f'{{"ids": ["{rid}", "{rid}", "{rid}"]}}') for rid, _ in answers
    )
    assert len(answers) == 20


async def _later():
    await asyncio.sleep(0)
    return current_rid()


def test_concurrent_threads_do_not_share(monkeypatch):
    """Eight worker threads in the middle of a request each: each has its own id."""
    barrier = threading.Barrier(8, timeout=20)
    seen = {}

    def answer(self, request):
        before = current_rid()
        barrier.wait()
        return JsonResponse({"same": before == current_rid() == request.headers[RID]})

    monkeypatch.setattr(WSGIHandler, "_get_response", answer)

    def work(rid):
        environ = RequestFactory().get("/", headers={RID: rid}).environ
        response = WSGIHandler()(environ, lambda status, headers: None)
        seen[rid] = (response.content, response.headers[RID])
        response.close()

    threads = [threading.Thread(target=work, args=(f"rid-{number}",)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert seen == {f"rid-{n}": (b'{"same": true}', f"rid-{n}") for n in range(8)}
