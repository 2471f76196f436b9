"""Exactly one summary for a request, whatever becomes of it; and the endpoints answered early."""

import asyncio
import json
import logging
import threading

import pytest
from asgiref.sync import iscoroutinefunction
from django.core import checks
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpResponse
from django.test import modify_settings, override_settings

from dockerflow_django import lifecycle
from dockerflow_django.context import current_rid
from dockerflow_django.heartbeat import evaluation
from dockerflow_django.middleware import DockerflowMiddleware, _warn_without_app
from tests import handlers
from tests.project.middleware import RAISING_PATH
from tests.summary.conftest import ask, lines, make_request, middleware, site, summaries  # noqa: F401
from tests.summary.drive import asgi
from tests.summary.urls import HaltError

DOCKERFLOW = "dockerflow_django.middleware.DockerflowMiddleware"
RAISING = "tests.project.middleware.RaisingMiddleware"
SYNC_ONLY = "tests.test_middleware.sync_only"
RID = "X-Request-ID"
INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


def sync_only(get_response):
    """Be a middleware that Django can only call in a thread under ASGI."""

    def middleware(request):
        return get_response(request)

    return middleware


@pytest.fixture
def health(settings, tmp_path):
    """Configure no check and log health; forget what the heartbeat knows."""
    settings.BASE_DIR = tmp_path
    settings.DOCKERFLOW_CHECKS = []
    settings.DOCKERFLOW_CHECK_TIMEOUT = 10
    settings.DOCKERFLOW_PROBES = {"readiness": []}
    settings.DOCKERFLOW_SUMMARY_LOG_HEALTH = True
    evaluation.reset()
    yield settings
    evaluation.reset()
    lifecycle.reset()


@pytest.mark.parametrize(
    ("url", "code", "level"),
    [
        ("/plain/", 200, INFO),
        ("/redirect/", 302, INFO),
        ("/missing-raised/", 404, INFO),
        ("/missing-returned/", 404, INFO),
        ("/nowhere/", 404, INFO),
        ("/denied/", 403, INFO),
        ("/suspicious/", 400, INFO),
        ("/broken/", 500, ERROR),
        ("/unavailable/", 503, ERROR),
        ("/stream/", 200, INFO),
        ("/file/", 200, INFO),
    ],
)
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_every_request_leaves_one_record(ask, summaries, url, code, level):
    """Status, errno and level are the response's, raised or returned (D7, D8, django-structlog).

    Where django-structlog writes two to four records, here is one.
    """
    answer = ask(url)
    (record,) = summaries
    assert (answer.status, record.code, record.levelno) == (code, code, level)
    assert record.errno == (code if code >= 400 else 0)
    assert record.rid == answer.headers[RID.lower()]


@pytest.mark.parametrize("url", ["/plain/", "/stream/", "/broken/", "/file/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_head_request_leaves_one_record_without_a_size(ask, summaries, url):
    """No body goes out, so none is counted, and none was broken off."""
    answer = ask(url, "HEAD")
    (record,) = summaries
    assert (record.method, record.code, record.size) == ("HEAD", answer.status, 0)
    assert record.errno in {0, answer.status}


def test_a_missing_page_looks_the_same_raised_and_returned(ask, summaries):
    """How a view says 404 is nobody's concern but its own (D8)."""
    ask("/missing-raised/")
    ask("/missing-returned/")
    raised, returned = summaries
    for name in ("code", "errno", "levelno", "method"):
        assert getattr(raised, name) == getattr(returned, name)
    assert (raised.getMessage(), returned.getMessage()) == ("", "")


@override_settings(MIDDLEWARE=[DOCKERFLOW, RAISING])
@pytest.mark.parametrize("world", handlers.WORLDS)
def test_an_exception_of_an_inner_middleware_is_ours(world, summaries):
    """It is a 500 with its text, as if the view had raised it (D9)."""
    handlers.ask(world, "GET", RAISING_PATH)
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (500, 500, ERROR)
    assert record.getMessage() == "RuntimeError: raised in a middleware"


def test_what_is_no_exception_leaves_a_record_and_goes_on(ask, summaries):
    """A BaseException is nobody's to swallow; the request has its record all the same."""
    with pytest.raises(HaltError):
        ask("/halt/")
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (500, 500, ERROR)
    assert record.getMessage() == "HaltError: halt"


async def test_a_cancelled_request_is_a_warning(summaries, monkeypatch):
    """A client that hangs up has 499, its view is cancelled (python-dockerflow logs nothing)."""
    gone, ended = asyncio.Event(), []

    async def wait(self, request):
        gone.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError as error:
            ended.append(error)
            raise

    monkeypatch.setattr(ASGIHandler, "_get_response_async", wait)
    sent = []
    await asyncio.wait_for(asgi("/plain/", sent.append, gone), 10)
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (499, 499, WARNING)
    assert record.getMessage() == ""
    assert (len(ended), sent) == (1, [])
    assert lifecycle.process.requests_in_progress == 0


async def test_a_coroutine_that_is_dropped_leaves_a_record(async_rf, summaries):
    """An event loop that closes throws away what waits in it."""

    async def wait(request):
        await asyncio.Event().wait()

    waiting = DockerflowMiddleware(wait)(async_rf.get("/"))
    waiting.send(None)
    waiting.close()
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (499, 499, WARNING)


@pytest.mark.parametrize("order", [[SYNC_ONLY, DOCKERFLOW], [DOCKERFLOW, SYNC_ONLY]])
def test_a_neighbour_that_needs_a_thread_changes_nothing(ask, summaries, order):
    """Above or below, under ASGI too: one record, and the id that came."""
    with override_settings(MIDDLEWARE=order):
        answer = ask("/rid/", X_Request_ID="abc")
    assert json.loads(answer.body)["rid"] == "abc"
    assert [record.rid for record in summaries] == ["abc"]


def test_a_response_that_is_none_leaves_a_record(middleware, make_request, summaries):
    """A middleware that forgot to return its response is not lost either."""
    with pytest.raises(AttributeError):
        middleware(lambda request: None)(make_request())
    (record,) = summaries
    assert (record.code, record.levelno) == (500, ERROR)
    assert record.getMessage().startswith("AttributeError: 'NoneType' object has no attribute")


def test_an_exception_outside_of_django_leaves_the_thread_clean(middleware, make_request):
    """No response will be closed, so no signal will tell: the id goes at once."""
    seen = []

    def fail(request):
        seen.append(current_rid())
        raise LookupError

    with pytest.raises(LookupError):
        middleware(fail)(make_request(X_Request_ID="abc"))
    assert (seen, current_rid()) == (["abc"], None)


def test_the_middleware_is_of_the_world_of_its_handler():
    """Django wraps it nowhere: it says that it is a coroutine function where it is (D22)."""

    async def answer(request): ...

    assert not iscoroutinefunction(DockerflowMiddleware(lambda request: None))
    assert iscoroutinefunction(DockerflowMiddleware(answer))


def test_an_asynchronous_request_never_leaves_its_thread(make_request, summaries):
    """The coroutine is done at its first step: it waits for nothing (D22, django-structlog)."""

    async def answer(request):
        return HttpResponse("here")

    coroutine = DockerflowMiddleware(answer)(make_request())
    with pytest.raises(StopIteration) as stop:
        coroutine.send(None)
    assert stop.value.value.content == b"here"
    assert summaries[0].thread == threading.get_ident()


def test_requests_are_in_progress_until_they_end(middleware, make_request):
    """Readiness counts a request from its begin on, and never one of a probe."""
    seen = []

    def answer(request):
        seen.append(lifecycle.process.requests_in_progress)
        return HttpResponse()

    middleware(answer)(make_request())
    assert (seen, lifecycle.process.requests_in_progress) == ([1], 0)


@pytest.mark.parametrize("seconds", [None, 5])
async def test_the_event_loop_is_watched_where_that_is_asked_for(make_request, seconds):
    """Liveness is told of a loop that stalls by the requests that it serves."""

    async def answer(request):
        return HttpResponse()

    with override_settings(DOCKERFLOW_LIVENESS_STALL_SECONDS=seconds):
        await DockerflowMiddleware(answer)(make_request())
        is_watched = lifecycle.process._loop is asyncio.get_running_loop()
        lifecycle.reset()
    assert is_watched is (seconds is not None)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("name", ["lbheartbeat", "heartbeat", "version", "error"])
def test_an_endpoint_is_answered_early(middleware, make_request, summaries, health, name, method):
    """No other middleware and no view runs; the answer has its id, the record no route (D10)."""
    response = middleware(pytest.fail)(make_request(f"/__{name}__", method, X_Request_ID="abc"))
    (record,) = summaries
    assert response.headers[RID] == record.rid == "abc"
    assert (record.path, record.code) == (f"/__{name}__", response.status_code)
    assert not hasattr(record, "route")


def test_an_endpoint_may_have_a_slash(middleware, make_request, health):
    """A probe is not redirected."""
    assert middleware(pytest.fail)(make_request("/__lbheartbeat__/")).status_code == 200


def test_a_browser_goes_on_to_the_view(middleware, make_request, health):
    """Who accepts HTML gets the page, which is a view's."""
    page = middleware(lambda request: HttpResponse("page"))
    assert page(make_request("/__heartbeat__", Accept="text/html")).content == b"page"


def test_other_paths_like_ours_go_on(middleware, make_request):
    """The mark alone makes no endpoint."""
    page = middleware(lambda request: HttpResponse("page"))
    assert page(make_request("/__other__")).content == b"page"


def test_an_endpoint_that_raises_is_answered_by_django(
    middleware, make_request, summaries, health, caplog
):
    """`/__error__` is a 500 with Django's own record, and a summary that names the exception."""
    health.DOCKERFLOW_ERROR_ENDPOINT = True
    response = middleware(pytest.fail)(make_request("/__error__"))
    (record,) = summaries
    assert (response.status_code, record.code, record.levelno) == (500, 500, ERROR)
    assert record.getMessage().startswith("ErrorEndpointCalledError: ")
    assert response.headers[RID] == record.rid


@pytest.mark.parametrize("details", ["always", "never"])
def test_details_are_for_whom_the_setting_says(middleware, make_request, health, details):
    """A heartbeat's answer holds the checks where they may be seen."""
    health.DOCKERFLOW_HEARTBEAT_DETAILS = details
    answer = json.loads(middleware(pytest.fail)(make_request("/__heartbeat__")).content)
    assert ("checks" in answer) is (details == "always")


def test_health_is_not_logged_where_all_is_well(middleware, make_request, summaries, health):
    """Polls are no traffic (D10)."""
    health.DOCKERFLOW_SUMMARY_LOG_HEALTH = False
    middleware(pytest.fail)(make_request("/__lbheartbeat__"))
    assert summaries == []


def test_a_heartbeat_that_fails_is_logged(middleware, make_request, summaries, health):
    """What is wrong is never left out."""
    health.DOCKERFLOW_SUMMARY_LOG_HEALTH = False
    health.DOCKERFLOW_CHECKS = [lambda **_: [checks.Error("down")]]
    middleware(pytest.fail)(make_request("/__heartbeat__"))
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (500, 500, ERROR)


def test_readiness_that_starts_is_news(middleware, make_request, summaries, health):
    """A process that is not ready yet has not failed: its 503 is INFO."""
    health.DOCKERFLOW_PROBES = {
        "readiness": [],
        "startup": [lambda **_: [checks.Error("migrating")]],
    }
    middleware(pytest.fail)(make_request("/__heartbeat__/readiness"))
    (record,) = summaries
    assert (record.code, record.errno, record.levelno) == (503, 503, INFO)


def test_without_the_app_it_says_so_once(caplog):
    """No system check can tell a project that has the middleware alone."""
    _warn_without_app.cache_clear()
    with modify_settings(INSTALLED_APPS={"remove": "dockerflow_django"}):
        DockerflowMiddleware(lambda request: None)
        DockerflowMiddleware(lambda request: None)
    (record,) = [r for r in caplog.records if r.name == "dockerflow_django.middleware"]
    assert "Add 'dockerflow_django' to INSTALLED_APPS." in record.getMessage()


def test_a_path_that_is_none_is_not_excluded(middleware, make_request, summaries):
    """It costs no response either."""

    def view(request):
        request.path = None
        return HttpResponse()

    with override_settings(DOCKERFLOW_SUMMARY_EXCLUDE=["^/"]):
        assert middleware(view)(make_request()).status_code == 200
    assert len(summaries) == 1


def test_an_accept_header_that_is_none_names_no_html(middleware, make_request, health):
    """An endpoint's answer is early all the same."""
    request = make_request("/__lbheartbeat__")
    request.META["HTTP_ACCEPT"] = None
    assert middleware(pytest.fail)(request).status_code == 200
