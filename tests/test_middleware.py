"""One middleware in two worlds: early answers, and one summary whatever happens."""

import asyncio
import json
import logging
import threading

import pytest
from asgiref.sync import iscoroutinefunction
from django.core.signals import got_request_exception
from django.http import HttpResponse
from django.test import AsyncRequestFactory, RequestFactory, override_settings

from dockerflow_django import lifecycle, testing
from dockerflow_django.context import current_rid
from dockerflow_django.endpoints import ErrorEndpointCalledError
from dockerflow_django.middleware import DockerflowMiddleware
from tests.summaries import WORLDS, ask, recorded, serving

RID = "given-by-the-client"
HEADER = "X-Request-ID"


@pytest.fixture(autouse=True)
def _anew():
    testing.reset()
    yield
    testing.reset()


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


def plain(request):
    return HttpResponse("plain")


async def plain_async(request):
    return HttpResponse("plain")


def test_it_belongs_to_the_world_of_what_it_wraps():
    """One class is a coroutine function round one, a function round a function: D22."""
    assert iscoroutinefunction(DockerflowMiddleware(plain_async))
    assert not iscoroutinefunction(DockerflowMiddleware(plain))


async def test_async_request_stays_in_the_loops_thread():
    """Begin, view and summary all run where the event loop runs: D22, django-structlog's hops."""
    threads = []

    async def view(request):
        threads.append(threading.get_ident())
        return HttpResponse("plain")

    with recorded() as records:
        await DockerflowMiddleware(view)(AsyncRequestFactory().get("/"))
    threads.append(records.summary.thread)
    assert threads == [threading.get_ident()] * 2


def test_response_has_the_id_of_the_request(world):
    """The client's id comes back, or the one that was made: D11."""
    with serving(plain):
        assert ask(world, headers={HEADER: RID})[HEADER] == RID
        assert len(ask(world)[HEADER]) == 32


def test_header_name_is_a_setting(world):
    """The id is read from that header and returned under it, and no other counts."""
    with serving(plain, DOCKERFLOW_REQUEST_ID_HEADER_NAME="X-Amzn-Trace-Id"):
        response = ask(world, headers={"X-Amzn-Trace-Id": RID, HEADER: "other"})
    assert response["X-Amzn-Trace-Id"] == RID
    assert HEADER not in response


@pytest.mark.parametrize("path", ["/__lbheartbeat__", "/__lbheartbeat__/", "/__heartbeat__"])
@override_settings(ALLOWED_HOSTS=["nobody"], DOCKERFLOW_CHECKS=[])
def test_endpoint_is_answered_early(world, path):
    """A kubelet that calls by address is answered, with an id, and without a summary: D10."""
    with serving(plain, middleware=["tests.around.Raising"]), recorded() as records:
        response = ask(world, path, headers={HEADER: RID})
    assert response.status_code == 200
    assert response.json()["status"] == "ok"
    assert response[HEADER] == RID
    assert not records.summaries


def test_browser_is_not_answered_early(world):
    """The page for people is behind host validation and authentication."""
    with serving(plain, middleware=["tests.around.Redirecting"]):
        assert ask(world, "/__heartbeat__", headers={"Accept": "text/html"}).status_code == 302
        assert ask(world, "/__lbheartbeat__", headers={"Accept": "*/*"}).status_code == 200


def test_path_that_only_looks_like_an_endpoint_goes_on(world):
    """What the table does not hold is the project's."""
    with serving(plain, "__mine__/"), recorded() as records:
        assert ask(world, "/__mine__/").content == b"plain"
    assert records.summary.path == "/__mine__/"


def test_nothing_is_answered_where_the_urls_are_not_included(world):
    """Without the include there are no endpoints."""
    with override_settings(ROOT_URLCONF=()), recorded() as records:
        assert ask(world, "/__lbheartbeat__").status_code == 404
    assert records.summary.code == 404


@override_settings(DOCKERFLOW_ERROR_ENDPOINT=True)
def test_error_endpoint_raises_as_a_view_does(world):
    """Django answers 500 and tells of the exception once, and there is one summary of it."""
    told = []

    def listen(request, **kwargs):
        told.append(request)

    got_request_exception.connect(listen)
    try:
        with serving(plain), recorded() as records:
            response = ask(world, "/__error__", headers={HEADER: RID})
    finally:
        got_request_exception.disconnect(listen)
    assert response.status_code == 500
    assert response[HEADER] == RID
    assert len(told) == 1
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.ERROR, 500, 500)
    assert summary.getMessage().startswith("ErrorEndpointCalledError: ")
    (django,) = records.of("django.request")
    assert django.rid == summary.rid == RID


@pytest.mark.parametrize("path", ["/__error__", "/__version__"])
def test_endpoint_that_fails_has_a_summary(world, path):
    """Only a failure of an endpoint is news."""
    with serving(plain), recorded() as records:
        assert ask(world, path).status_code == 404
    assert (records.summary.levelno, records.summary.errno) == (logging.INFO, 404)


@override_settings(DOCKERFLOW_CHECKS=["tests.project.checks.failing"])
def test_failing_heartbeat_has_a_summary(world):
    """The line is an error's, and has no message but the status."""
    with serving(plain), recorded() as records:
        assert ask(world, "/__heartbeat__").status_code == 500
    assert (records.summary.levelno, records.summary.errno) == (logging.ERROR, 500)
    assert records.summary.getMessage() == ""


@override_settings(DOCKERFLOW_PROBES={"readiness": []})
def test_draining_is_news_and_no_error(world):
    """A probe that fails because the process was taken out of service is no failure of it."""
    lifecycle.set_ready(False, "maintenance")
    with serving(plain), recorded() as records:
        response = ask(world, "/__heartbeat__/readiness")
    assert (response.status_code, response.json()) == (503, {"status": "info"})
    assert (records.summary.levelno, records.summary.errno) == (logging.INFO, 503)


@override_settings(DOCKERFLOW_SUMMARY_LOG_HEALTH=True)
def test_health_is_summarised_where_wanted(world):
    """The setting gives every answer of an endpoint a summary."""
    with serving(plain), recorded() as records:
        ask(world, "/__lbheartbeat__")
    assert (records.summary.path, records.summary.code) == ("/__lbheartbeat__", 200)


def test_view_behind_the_included_urls_is_health_too(world):
    """The page that a browser sees is no traffic of the project's users."""
    with serving(plain), recorded() as records:
        assert ask(world, "/__lbheartbeat__", headers={"Accept": "text/html"}).status_code == 200
    assert not records.summaries


@override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True, DOCKERFLOW_ERROR_ENDPOINT=True)
@pytest.mark.parametrize(
    ("path", "error"), [("/__error__", ErrorEndpointCalledError), ("/here/", RuntimeError)]
)
def test_exception_that_leaves_django_has_a_summary(world, path, error):
    """Where Django is told to let exceptions through, no response comes by, and no id stays."""

    def raising(request):
        raise RuntimeError("broken")

    with serving(raising), recorded() as records, pytest.raises(error):
        ask(world, path)
    assert (records.summary.levelno, records.summary.errno) == (logging.ERROR, 500)
    assert current_rid() is None


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt()])
def test_exit_in_a_view_has_a_summary(error):
    """What no handler turns into a response is passed on, has a summary, and leaves no id."""

    def exiting(request):
        raise error

    with recorded() as records, pytest.raises(type(error)):
        DockerflowMiddleware(exiting)(RequestFactory().get("/"))
    assert (records.summary.levelno, records.summary.errno) == (logging.ERROR, 500)
    assert records.summary.getMessage().startswith(type(error).__name__)
    assert not hasattr(records.summary, "size")
    assert current_rid() is None


@pytest.mark.parametrize(
    ("middleware", "sentence"),
    [
        ("Raising", "RuntimeError: raised in a middleware"),
        ("RaisingAfter", "RuntimeError: raised after the view"),
    ],
)
def test_exception_in_another_middleware_is_a_server_error(world, middleware, sentence):
    """The status is that of the response, whoever raised: D9."""
    with serving(plain, middleware=[f"tests.around.{middleware}"]), recorded() as records:
        assert ask(world).status_code == 500
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.ERROR, 500, 500)
    assert summary.getMessage() == sentence


def test_middleware_that_returns_nothing_has_a_summary(world):
    """A response that is none fails here, as it does in Django, and is told."""
    with serving(plain, middleware=["tests.around.Nothing"]), recorded() as records:
        assert ask(world).status_code == 500
    assert (records.summary.code, records.summary.errno) == (500, 500)


def test_response_replaced_above_leaves_one_summary(world):
    """What a middleware above makes of the response adds no second line."""
    with serving(plain, above=["tests.around.Replacing"]), recorded() as records:
        assert ask(world).content == b"replaced"
    assert records.summary.size == len("plain")


def test_middleware_above_still_has_the_id(world):
    """The id lives until Django has finished the request."""
    with serving(plain, above=["tests.around.Speaking"]), recorded() as records:
        ask(world, headers={HEADER: RID})
    assert [record.rid for record in records.of("tests.around")] == [RID]


@pytest.mark.parametrize("place", ["above", "middleware"])
def test_sync_only_neighbours_under_asgi(place):
    """With a thread above or below, the summary is one and the id the same."""
    with serving(plain_async, **{place: ["tests.around.sync_only"]}), recorded() as records:
        assert ask("async", headers={HEADER: RID})[HEADER] == RID
    assert records.summary.rid == RID


async def test_cancelled_request_has_a_summary():
    """A client that goes away while the view waits: 499, a warning, and the cancellation goes on.

    python-dockerflow logs nothing then.
    """
    waiting = asyncio.Event()

    async def view(request):
        waiting.set()
        await asyncio.sleep(60)

    with recorded() as records:
        task = asyncio.create_task(DockerflowMiddleware(view)(AsyncRequestFactory().get("/")))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.WARNING, 499, 499)
    assert summary.getMessage() == ""


async def test_coroutine_that_is_dropped_has_a_summary():
    """A loop that closes throws its coroutines away."""

    async def view(request):
        await asyncio.sleep(60)

    with recorded() as records:
        coroutine = DockerflowMiddleware(view)(AsyncRequestFactory().get("/"))
        coroutine.send(None)
        coroutine.close()
    assert (records.summary.levelno, records.summary.errno) == (logging.WARNING, 499)


def test_details_are_asked_for_in_both_worlds(world):
    """The early answer of a heartbeat has details where the setting allows them."""
    with serving(plain, DOCKERFLOW_HEARTBEAT_DETAILS="always", DOCKERFLOW_CHECKS=[]):
        assert json.loads(ask(world, "/__heartbeat__").content)["checks"] == {}
