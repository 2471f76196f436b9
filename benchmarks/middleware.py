"""How much time a middleware adds to a request, and what ``/__lbheartbeat__`` costs."""

import asyncio
import io
import os
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from benchmarks import projects
from benchmarks.measure import Values, ratio, serve, take_turns
from benchmarks.projects import BARE, DOCKERFLOW, GUID, OURS, STRUCTLOG
from benchmarks.rows import Row, microseconds

REPETITIONS, TURNS, ROUNDS = 200, 7, 9
PEERS = (DOCKERFLOW, STRUCTLOG, GUID)


def rows() -> list[Row]:
    """Measure both worlds, with the summary and without, and the load balancer's endpoint."""
    found = []
    for world, target, quiet_target in (("WSGI", 0.45, 0.22), ("ASGI", 0.08, 0.05)):
        found.append(_added(world, quiet=False, target=target))
        found.append(_added(world, quiet=True, target=quiet_target))
    return [*found, _lbheartbeat()]


def _added(world: str, *, quiet: bool, target: float) -> Row:
    mode = "quiet" if quiet else "logging"
    commands = {name: ("benchmarks.middleware", world, name, mode) for name in (BARE, OURS, *PEERS)}
    turns = take_turns(commands, ROUNDS, TURNS)
    taken = turns.medians
    added = {name: taken[name] - taken[BARE] for name in (OURS, *PEERS)}
    what = f"time that the middleware adds to a request, {world}"
    what += ", summary logger disabled" if quiet else ""
    what += ", against python-dockerflow's"
    beside = ", ".join(f"{name} +{microseconds(added[name])}" for name in PEERS)
    measured = f"+{microseconds(added[OURS])}; {beside}; bare Django {microseconds(taken[BARE])}"
    key = f"middleware-{world.lower()}" + ("-quiet" if quiet else "")
    return Row(key, what, turns.middle(_share), target, measured, turns.spread(_share))


def _share(taken: Values) -> float:
    return (taken[OURS] - taken[BARE]) / (taken[DOCKERFLOW] - taken[BARE])


def _lbheartbeat() -> Row:
    commands = {
        OURS: ("benchmarks.middleware", "lbheartbeat", OURS, "logging"),
        BARE: ("benchmarks.middleware", "WSGI", BARE, "logging"),
    }
    turns = take_turns(commands, ROUNDS, TURNS)
    taken = turns.medians
    measured = f"{microseconds(taken[OURS])}; the empty view {microseconds(taken[BARE])}"
    what = "/__lbheartbeat__ through eight middlewares, against an empty view with none"
    figure = ratio(OURS, BARE)
    return Row("lbheartbeat", what, turns.middle(figure), 1.05, measured, turns.spread(figure))


def main(world: str, name: str, mode: str) -> Iterator[float]:
    """Configure one contender and yield the seconds for one request, over and over."""
    more: dict[str, Any] = {}
    if world == "lbheartbeat":
        more["MIDDLEWARE"] = [*projects.MIDDLEWARE[name], *projects.STARTPROJECT]
    projects.configure(name, quiet=mode == "quiet", **more)
    if world == "ASGI":
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
        return _async()
    return _sync("/__lbheartbeat__" if world == "lbheartbeat" else "/empty/")


def _sync(path: str) -> Iterator[float]:
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()

    def once() -> None:
        response = handler(environ(path), lambda status, headers: None)
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


def environ(path: str) -> dict[str, Any]:
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
