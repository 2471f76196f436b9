"""The project's views in both worlds, and the records that they leave."""

import asyncio
import logging
from collections.abc import Callable, Iterator

import pytest
from asgiref.sync import async_to_sync
from django.test import AsyncClient, Client, override_settings

from dockerflow_django.context import current_rid
from dockerflow_django.context.requests import current_state, end_request
from dockerflow_django.lifecycle import process
from dockerflow_django.logging import RequestIdLogFilter
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.queries import count_from_now_on
from dockerflow_django.summary.record import SUMMARY_LOGGER
from tests import handlers
from tests.summary import drive

# A server's world, and a view's.
WORLDS = [("wsgi", ""), ("wsgi", "/async"), ("asgi", ""), ("asgi", "/async")]
IDS = ["wsgi", "wsgi-async-view", "asgi-sync-view", "asgi"]


class Memory(logging.Handler):
    """Keep the records, with the `rid` that a handler would write."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []
        self.addFilter(RequestIdLogFilter())

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def remember(name: str, level: int) -> Iterator[list[logging.LogRecord]]:
    """Keep what is logged by that name."""
    logger, memory = logging.getLogger(name), Memory()
    was = logger.level
    logger.setLevel(level)
    logger.addHandler(memory)
    yield memory.records
    logger.removeHandler(memory)
    logger.setLevel(was)


@pytest.fixture(autouse=True)
def site() -> Iterator[None]:
    """Serve these views; leave no request behind, in progress or in this thread."""
    before = process.requests_in_progress
    # The test's connection is made in this thread, the middleware perhaps in an event loop's.
    count_from_now_on()
    alone = handlers._connections_left_alone()
    with alone, override_settings(ROOT_URLCONF="tests.summary.urls"):
        yield
    end_request()
    assert process.requests_in_progress == before


@pytest.fixture
def summaries() -> Iterator[list[logging.LogRecord]]:
    yield from remember(SUMMARY_LOGGER, logging.INFO)


@pytest.fixture
def lines() -> Iterator[list[logging.LogRecord]]:
    """Keep every warning and worse, Django's own too."""
    django = logging.getLogger("django")
    was, django.propagate = django.propagate, True
    yield from remember("", logging.WARNING)
    django.propagate = was


@pytest.fixture(params=WORLDS, ids=IDS)
def ask(request: pytest.FixtureRequest) -> Callable[..., handlers.Answer]:
    """Ask for a URL as a server does; the thread is of no request when that is over."""
    world, prefix = request.param

    def get(url: str, method: str = "GET", **headers: str) -> handlers.Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            return drive.ask(world, method, prefix + url, named)
        finally:
            assert current_rid() is None
            assert current_state() is None
            assert process.requests_in_progress == 0

    return get


@pytest.fixture(params=WORLDS, ids=IDS)
def visit(request: pytest.FixtureRequest) -> Callable[..., handlers.Answer]:
    """Ask with Django's test client, whose views share the test's connections."""
    world, prefix = request.param
    client = Client() if world == "wsgi" else AsyncClient()
    get = client.get if world == "wsgi" else async_to_sync(client.get)

    def visit(url: str, cookie: str | None = None, **headers: str):
        if cookie is not None:
            client.cookies["sessionid"] = cookie
        return get(prefix + url, headers=headers)

    return visit


@pytest.fixture
def make_request(rf):
    """Make a request with headers; `resolver_match` is None as long as nothing resolves it."""

    def make(path="/plain/", method="GET", **headers):
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return rf.generic(method, path, headers=named)

    return make


@pytest.fixture(params=["sync", "async"])
def middleware(request):
    """Make the middleware round a function, and call it as its handler does."""

    def make(get_response):
        if request.param == "sync":
            return DockerflowMiddleware(get_response)

        async def aget_response(request):
            return get_response(request)

        middleware = DockerflowMiddleware(aget_response)
        return lambda request: asyncio.run(middleware(request))

    return make
