"""What the metrics add to a request, beside django-prometheus's own middlewares."""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterator
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.measure import Values, serve, take_turns
from benchmarks.rows import Row, microseconds

REQUESTS, TURNS, ROUNDS = 200, 11, 9
# What one request may cost more for being in an app that feeds metrics.
LIMIT_SECONDS = 3e-6
OURS = "dockerflow_django.metrics.middleware"
THEIRS = "django_prometheus.middleware"
NAMES = ("PrometheusBeforeMiddleware", "PrometheusAfterMiddleware")
PROCESSES = ("one process", "many processes")


def rows() -> list[Row]:
    """Return a row for each world and number of processes."""
    return [
        row
        for world in ("wsgi", "asgi")
        for processes in PROCESSES
        for row in _rows(world, processes)
    ]


def _rows(world: str, processes: str) -> Iterator[Row]:
    kinds = {
        "bare": ("", "unfed"),
        "fed": ("", "fed"),
        "theirs": (THEIRS, "unfed"),
        "ours": (OURS, "fed"),
    }
    # The folders are made here: a contender ends by a signal, and would leave its own.
    with TemporaryDirectory() as folder:
        commands = {
            name: ("benchmarks.metrics", world, _folder(folder, name, processes), *kind)
            for name, kind in kinds.items()
        }
        turns = take_turns(commands, ROUNDS, TURNS)
    took = turns.medians
    added = {name: took[name] - took["bare"] for name in kinds}
    shown = {name: f"{microseconds(seconds)} added" for name, seconds in added.items()}
    key = f"{world}-{processes.split(maxsplit=1)[0]}"
    yield Row(
        f"metrics-feed-{key}",
        f"time that feeding the metrics adds to a request, {world}, {processes}, against 3 µs",
        turns.middle(_fed),
        1.0,
        f"{shown['fed']} to {microseconds(took['bare'])}",
        turns.spread(_fed),
    )
    yield Row(
        f"metrics-middleware-{key}",
        f"time that our Prometheus middlewares add, {world}, {processes}, "
        "against django-prometheus's",
        turns.middle(_share),
        1.0 if world == "wsgi" else 0.2,
        f"ours {shown['ours']}, theirs {shown['theirs']}",
        turns.spread(_share),
    )


def _folder(parent: str, name: str, processes: str) -> str:
    """Return a new folder for the values of many processes, none for one process."""
    if processes == "one process":
        return ""
    path = Path(parent, name)
    path.mkdir()
    return str(path)


def _fed(took: Values) -> float:
    return (took["fed"] - took["bare"]) / LIMIT_SECONDS


def _share(took: Values) -> float:
    return (took["ours"] - took["bare"]) / (took["theirs"] - took["bare"])


def _contend(world: str, folder: str, middleware: str, fed: str) -> None:
    if folder:
        # Before the import: prometheus_client decides once.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
    _set_up(middleware, is_fed=fed == "fed")
    serve(_repeat(_wsgi() if world == "wsgi" else _asgi()))


def _repeat(ask_all: Callable[[int], float]) -> Iterator[float]:
    while True:
        yield ask_all(REQUESTS)


def _set_up(middleware: str, *, is_fed: bool) -> None:
    import django
    from django.conf import settings
    from django.core.signals import request_started

    settings.configure(
        ALLOWED_HOSTS=["*"],
        INSTALLED_APPS=["dockerflow_django"],
        MIDDLEWARE=[f"{middleware}.{name}" for name in NAMES] if middleware else [],
        ROOT_URLCONF=_urls(),
        SECRET_KEY="only for benchmarks",
    )
    django.setup()
    if is_fed:
        from dockerflow_django.metrics import feed

        feed.start()
    request_started.disconnect(dispatch_uid="dockerflow_django.metrics.start")


def _urls() -> type:
    from django.http import HttpRequest, HttpResponse
    from django.urls import path

    def plain(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"plain")

    async def plain_async(request: HttpRequest) -> HttpResponse:
        return HttpResponse(b"plain")

    class URLs:
        urlpatterns = (path("wsgi/", plain, name="wsgi"), path("asgi/", plain_async, name="asgi"))

    return URLs


def _wsgi() -> Callable[[int], float]:
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()
    environ = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/wsgi/",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(),
        "wsgi.url_scheme": "http",
    }

    def ask_all(count: int) -> float:
        began = time.process_time()
        for _ in range(count):
            handler(dict(environ), lambda *arguments: None).close()
        return (time.process_time() - began) / count

    return ask_all


def _asgi() -> Callable[[int], float]:
    """Ask the chain of middlewares and an async view, without a server and its signals."""
    from django.core.handlers.asgi import ASGIHandler, ASGIRequest

    handler = ASGIHandler()
    scope: dict[str, Any] = {
        "type": "http",
        "method": "GET",
        "path": "/asgi/",
        "headers": [],
        "query_string": b"",
    }

    async def ask(count: int) -> float:
        began = time.process_time()
        for _ in range(count):
            await handler.get_response_async(ASGIRequest(scope, BytesIO()))
        return (time.process_time() - began) / count

    return lambda count: asyncio.run(ask(count))


if __name__ == "__main__":
    _contend(*sys.argv[1:])
