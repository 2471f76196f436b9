"""Ask one view in either world, and collect the records that are written meanwhile."""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from asgiref.sync import async_to_sync
from django.http import HttpResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import include, path

from dockerflow_django.logging import RequestIdLogFilter
from dockerflow_django.summary import SUMMARY_LOGGER

OURS = "dockerflow_django.middleware.DockerflowMiddleware"
WORLDS = ("sync", "async")
PATH = "/here/"


class Records(logging.Handler):
    """Keep records, with the id that the filter gives them."""

    def __init__(self) -> None:
        super().__init__()
        self.addFilter(RequestIdLogFilter())
        self.records: list[logging.LogRecord] = []
        self.emit = self.records.append  # type: ignore[method-assign]

    def of(self, name: str) -> list[logging.LogRecord]:
        return [record for record in self.records if record.name == name]

    @property
    def summaries(self) -> list[logging.LogRecord]:
        return self.of(SUMMARY_LOGGER)

    @property
    def summary(self) -> logging.LogRecord:
        """The one summary."""
        (record,) = self.summaries
        return record


@contextmanager
def recorded(level: int = logging.INFO) -> Iterator[Records]:
    """Collect all records from that level on."""
    root, handler = logging.getLogger(), Records()
    before = root.level
    root.setLevel(level)
    root.addHandler(handler)
    try:
        yield handler
    finally:
        root.removeHandler(handler)
        root.setLevel(before)


@contextmanager
def serving(
    view: Callable[..., Any],
    route: str = PATH[1:],
    *,
    middleware: Sequence[str] = (),
    above: Sequence[str] = (),
    **more: Any,
) -> Iterator[None]:
    """Serve the view at the route, beside the app's own paths, with nothing else around it."""

    class Urls:
        urlpatterns = (path(route, view), path("", include("dockerflow_django.urls")))

    with override_settings(ROOT_URLCONF=Urls, MIDDLEWARE=[*above, OURS, *middleware], **more):
        yield


def ask(world: str, path: str = PATH, method: str = "GET", **more: Any) -> HttpResponse:
    """Ask once, as an uncaught exception is answered, and read the answer to its end."""
    if world == "sync":
        response = Client(raise_request_exception=False).generic(method, path, **more)
        if response.streaming:
            b"".join(response.streaming_content)
        return response
    # Its sync parts run in this thread then, and share a test's transaction.
    return async_to_sync(_aask)(path, method, **more)


async def _aask(path: str, method: str, **more: Any) -> HttpResponse:
    response = await AsyncClient(raise_request_exception=False).generic(method, path, **more)
    if response.streaming and response.is_async:
        async for _ in response.streaming_content:
            pass
    elif response.streaming:
        b"".join(response.streaming_content)
    return response


def asked(world: str, view: Callable[..., Any], **more: Any) -> logging.LogRecord:
    """Ask the view once and return the one summary."""
    with serving(view), recorded() as records:
        ask(world, **more)
    return records.summary


def answering(text: str = "plain", **more: Any) -> Callable[..., HttpResponse]:
    """Return a view that answers so."""
    return lambda request, **parameters: HttpResponse(text, **more)
