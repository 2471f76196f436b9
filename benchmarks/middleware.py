"""How much time a middleware adds to a request, and what ``/__lbheartbeat__`` costs."""

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import projects
from benchmarks.measure import medians, serve
from benchmarks.projects import BARE, DOCKERFLOW, GUID, OURS, STRUCTLOG
from benchmarks.rows import Row, microseconds

REPETITIONS = 1000
PEERS = (DOCKERFLOW, STRUCTLOG, GUID)


def rows() -> list[Row]:
    """Measure both worlds, with the summary and without, and the load balancer's endpoint."""
    found = []
    for world, target in (("WSGI", 0.50), ("ASGI", 0.12)):
        for quiet, wanted in ((False, target), (True, 0.25)):
            found.append(_added(world, quiet=quiet, target=wanted))
    return [*found, _lbheartbeat()]


def _added(world: str, *, quiet: bool, target: float) -> Row:
    mode = "quiet" if quiet else "logging"
    commands = {name: ("benchmarks.middleware", world, name, mode) for name in (BARE, OURS, *PEERS)}
    taken = medians(commands)
    added = {name: taken[name] - taken[BARE] for name in (OURS, *PEERS)}
    what = f"time added to a request, {world}" + (", summary logger disabled" if quiet else "")
    beside = ", ".join(f"{name} +{microseconds(added[name])}" for name in PEERS)
    measured = f"+{microseconds(added[OURS])}; {beside}; bare Django {microseconds(taken[BARE])}"
    return Row(what, added[OURS] / added[DOCKERFLOW], target, measured)


def _lbheartbeat() -> Row:
    taken = medians(
        {
            OURS: ("benchmarks.middleware", "lbheartbeat", OURS, "logging"),
            BARE: ("benchmarks.middleware", "WSGI", BARE, "logging"),
        }
    )
    measured = f"{microseconds(taken[OURS])}; the empty view {microseconds(taken[BARE])}"
    what = "/__lbheartbeat__ through eight middlewares, against an empty view with none"
    return Row(what, taken[OURS] / taken[BARE], 1.10, measured)


def main(world: str, name: str, mode: str) -> Iterator[float]:
    """Configure one contender and yield the seconds for one request, over and over."""
    more: dict[str, Any] = {}
    if world == "lbheartbeat":
        more["MIDDLEWARE"] = [*projects.MIDDLEWARE[name], *projects.EIGHT]
    projects.configure(name, quiet=mode == "quiet", **more)
    if world == "ASGI":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return _async()
    return _sync("/__lbheartbeat__" if world == "lbheartbeat" else "/empty/")


def _sync(path: str) -> Iterator[float]:
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()

    def once() -> None:
        response = handler(_environ(path), lambda status, headers: None)
        for _ in response:
            pass
        response.close()

    yield from _timed(once)


def _timed(once: Callable[[], None]) -> Iterator[float]:
    while True:
        began = time.process_time()
        for _ in range(REPETITIONS):
            once()
        yield (time.process_time() - began) / REPETITIONS


def _async() -> Iterator[float]:
    """Time the asynchronous chain itself: no server, an async view, no other middleware."""
    from django.core.handlers.asgi import ASGIHandler, ASGIRequest

    handler = ASGIHandler()
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/async/",
        "query_string": b"",
        "headers": [(b"host", b"testserver"), (b"user-agent", b"benchmark")],
    }

    async def many() -> float:
        began = time.perf_counter()
        for _ in range(REPETITIONS):
            response = await handler.get_response_async(ASGIRequest(scope, io.BytesIO()))
            response.close()
        return (time.perf_counter() - began) / REPETITIONS

    with asyncio.Runner() as runner:
        while True:
            yield runner.run(many())


def _environ(path: str) -> dict[str, Any]:
    return {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": path,
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "SERVER_NAME": "testserver",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "testserver",
        "HTTP_USER_AGENT": "benchmark",
        "HTTP_ACCEPT_LANGUAGE": "de,en;q=0.5",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": False,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


if __name__ == "__main__":
    serve(main(*sys.argv[1:]))
