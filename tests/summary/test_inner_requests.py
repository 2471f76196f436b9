"""A request that is made inside a request has its own id and record, and leaves the outer alone."""

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.core.handlers.wsgi import WSGIHandler
from django.http import JsonResponse, StreamingHttpResponse
from django.test import AsyncClient, Client, RequestFactory, override_settings
from django.urls import include, path

from dockerflow_django.context import current_rid, request_id_context
from dockerflow_django.context.requests import current_state, end_request, start_request
from dockerflow_django.context.tasks import current_task, end_task, start_task
from dockerflow_django.middleware import DockerflowMiddleware
from tests.summary import drive
from tests.summary.conftest import IDS, WORLDS
from tests.summary.urls import query

PATHS = ["/plain/", "/broken/", "/stream/", "/nowhere/", "/stream-failing/"]
# A test client inside a view has Django look at its connections again when a request ends.
pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning"),
]


def with_client(url):
    response = Client(raise_request_exception=False).get(url)
    try:
        b"".join(response)
    except LookupError:
        response.close()


def without_signals(url):
    """Ask Django's handler alone: nothing says when the request starts or finishes."""
    handler = WSGIHandler()
    handler.load_middleware()
    handler.get_response(RequestFactory().get(url))


WAYS = {"client": with_client, "handler": without_signals}


def outer(request):
    ids = [current_rid()]
    query(2)
    for url in request.GET.getlist("url"):
        WAYS[request.GET["way"]](url)
        ids.append(current_rid())
    query(1)
    return JsonResponse({"ids": ids})


async def aouter(request):
    ids = [current_rid()]
    await sync_to_async(query)(2)
    for url in request.GET.getlist("url"):
        await sync_to_async(WAYS[request.GET["way"]])(url)
        ids.append(current_rid())
    await AsyncClient(raise_request_exception=False).get("/async/plain/")
    ids.append(current_rid())
    await sync_to_async(query)(1)
    return JsonResponse({"ids": ids})


def parts():
    yield f"{current_rid()},"
    with_client("/plain/")
    yield f"{current_rid()}"


def outer_stream(request):
    return StreamingHttpResponse(parts())


def outer_broken(request):
    with_client("/broken/")
    raise KeyError("outer")


def outer_own_id(request):
    request_id_context.set("mine")
    with_client("/plain/")
    return JsonResponse({"rid": current_rid()})


def in_task(request):
    return JsonResponse({"task": current_task() is not None})


class Patterns:
    """The views that make requests, and those that they ask."""

    urlpatterns = (
        path("", include("tests.summary.urls")),
        path("outer/", outer),
        path("async/outer/", aouter),
        path("outer-stream/", outer_stream),
        path("async/outer-stream/", outer_stream),
        path("outer-broken/", outer_broken),
        path("async/outer-broken/", sync_to_async(outer_broken)),
        path("outer-own-id/", outer_own_id),
        path("async/outer-own-id/", sync_to_async(outer_own_id)),
        path("in-task/", in_task),
        path("async/in-task/", sync_to_async(in_task)),
    )


@pytest.fixture(autouse=True)
def patterns(site):
    with override_settings(ROOT_URLCONF=Patterns):
        yield


@pytest.mark.parametrize("way", WAYS)
def test_the_outer_request_goes_on(ask, summaries, way):
    """Its id, its counts and its success are its own, whatever the inner ones do."""
    query_string = "&".join(f"url={url}" for url in PATHS)
    answer = ask(f"/outer/?way={way}&{query_string}", X_Request_ID="outer-1")
    assert set(answer.json["ids"]) == {"outer-1"}
    assert answer.headers["x-request-id"] == "outer-1"
    (own,) = (each for each in summaries if each.rid == "outer-1")
    assert (own.db_queries, own.errno, own.getMessage()) == (3, 0, "")
    inner = [each for each in summaries if each is not own]
    asked = len(PATHS) + own.path.startswith("/async")
    assert len({each.rid for each in inner}) == len(inner) == asked
    assert all(each.db_queries == 0 for each in inner)
    broken = next(each for each in inner if each.path == "/broken/")
    assert broken.getMessage().startswith("RuntimeError")


def test_a_stream_goes_on(ask, summaries):
    """Between its parts, too."""
    answer = ask("/outer-stream/", X_Request_ID="outer-1")
    assert answer.body == b"outer-1,outer-1"
    assert sorted(each.rid == "outer-1" for each in summaries) == [False, True]


def test_the_error_is_the_outer_requests_own(ask, summaries):
    """Not the last one that any request had."""
    ask("/outer-broken/", X_Request_ID="outer-1")
    said = {each.rid == "outer-1": each.getMessage() for each in summaries}
    assert said[True] == "KeyError: 'outer'"
    assert said[False].startswith("RuntimeError")


def test_an_id_of_the_projects_own_survives(ask, summaries):
    """The outer request has the id that it was given before the inner one."""
    answer = ask("/outer-own-id/", X_Request_ID="outer-1")
    assert answer.json["rid"] == answer.headers["x-request-id"] == "mine"
    assert "mine" in {each.rid for each in summaries}
    assert "outer-1" not in {each.rid for each in summaries}


def test_afterwards_the_thread_is_nobodys():
    """Not even if the handler was asked without Django's signals."""
    response = Client().get("/outer/", {"way": "handler", "url": ["/plain/", "/plain/"]})
    assert response.status_code == 200
    assert (current_rid(), current_state()) == (None, None)


def test_an_inner_request_without_a_response(summaries):
    """What it raises ends it alone: its summary is written, and the outer one goes on."""
    outer = start_request("outer-1", None)
    outer.is_running = True

    def leave(request):
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        DockerflowMiddleware(leave)(RequestFactory().get("/plain/"))
    assert (current_rid(), current_state()) == ("outer-1", outer)
    (own,) = summaries
    assert (own.code, own.rid != "outer-1") == (500, True)
    outer.is_running = False
    end_request()


@pytest.mark.parametrize("is_left", [True, False], ids=["left", "sure"])
@pytest.mark.parametrize(("world", "prefix"), WORLDS, ids=IDS)
def test_a_request_in_a_task_that_may_be_left(world, prefix, is_left):
    """A server's request is not made in it; that of a test client is: it may be the task's."""
    task = start_task("look", "1", in_request=False)
    task.request.may_be_left = is_left
    assert Client().get("/in-task/").json() == {"task": True}
    assert async_to_sync(AsyncClient().get)("/async/in-task/").json() == {"task": True}
    assert drive.ask(world, "GET", f"{prefix}/in-task/", {}).json == {"task": not is_left}
    end_task(task)
