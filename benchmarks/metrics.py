"""What the metrics add to a request: ``python -m benchmarks.metrics``.

Each configuration runs in a process of its own, because prometheus_client decides at import whether
there are many; the rounds are interleaved, and the least processor time of each is shown, less that of
Django with no middleware of ours or django-prometheus's.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from tempfile import TemporaryDirectory

ROUNDS = 5
REQUESTS = 4_000
OURS = "dockerflow_django.metrics.middleware"
THEIRS = "django_prometheus.middleware"
CONFIGURATIONS = {
    "bare Django": ([], False),
    "metrics fed, no request metrics": ([], True),
    "django-prometheus's middlewares": ([THEIRS], False),
    "the same with ours in their place": ([OURS], True),
}


def main() -> None:
    """Print microseconds for each configuration, in one process and in many, WSGI and ASGI."""
    if len(sys.argv) > 1:
        print(json.dumps(_measure(*json.loads(sys.argv[1]))))  # noqa: T201
        return
    for world in ("wsgi", "asgi"):
        for is_multiprocess in (False, True):
            found: dict[str, list[float]] = {name: [] for name in CONFIGURATIONS}
            for _ in range(ROUNDS):
                for name, configuration in CONFIGURATIONS.items():
                    found[name].append(_in_subprocess(world, is_multiprocess, *configuration))
            _print(f"{world}, {'many processes' if is_multiprocess else 'one process'}", found)


def _print(title: str, found: dict[str, list[float]]) -> None:
    bare = min(found["bare Django"])
    print(title)  # noqa: T201
    for name, figures in found.items():
        least = min(figures)
        print(f"  {name:<36} {least:7.1f} us  {least - bare:+7.1f}")  # noqa: T201


def _in_subprocess(world: str, is_multiprocess: bool, *configuration: object) -> float:
    with TemporaryDirectory() as folder:
        env = {**os.environ, **({"PROMETHEUS_MULTIPROC_DIR": folder} if is_multiprocess else {})}
        command = [sys.executable, "-m", "benchmarks.metrics", json.dumps([world, *configuration])]
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    return float(done.stdout)


def _measure(world: str, pairs: list[str], is_fed: bool) -> float:
    import django
    from django.conf import settings

    names = ("PrometheusBeforeMiddleware", "PrometheusAfterMiddleware")
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES={},
        INSTALLED_APPS=["dockerflow_django"],
        MIDDLEWARE=[f"{pair}.{name}" for pair in pairs for name in names],
        ROOT_URLCONF=_urlconf(),
        SECRET_KEY="only for benchmarks",
    )
    django.setup()
    if is_fed:
        from dockerflow_django.metrics import feed

        feed.start()
    else:
        from django.core.signals import request_started

        request_started.disconnect(dispatch_uid="dockerflow_django.metrics.start")
    return {"wsgi": _wsgi, "asgi": _asgi}[world]()


def _urlconf() -> type:
    from django.http import HttpResponse
    from django.urls import path

    def plain(request: object) -> HttpResponse:
        return HttpResponse(b"plain")

    async def plain_async(request: object) -> HttpResponse:
        return HttpResponse(b"plain")

    class URLs:
        urlpatterns = [path("wsgi/", plain, name="wsgi"), path("asgi/", plain_async, name="asgi")]

    return URLs


def _wsgi() -> float:
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

    def ask() -> None:
        handler(dict(environ), lambda *arguments: None).close()

    return _time(ask)


def _asgi() -> float:
    """Time the chain of middlewares and an async view, without a server and its signals."""
    from django.core.handlers.asgi import ASGIHandler, ASGIRequest

    handler = ASGIHandler()
    scope = {"type": "http", "method": "GET", "path": "/asgi/", "headers": [], "query_string": b""}

    async def ask_all() -> float:
        async def ask(count: int) -> float:
            began = time.process_time()
            for _ in range(count):
                await handler.get_response_async(ASGIRequest(scope, BytesIO()))
            return (time.process_time() - began) / count * 1e6

        await ask(REQUESTS // 10)
        return await ask(REQUESTS)

    return asyncio.run(ask_all())


def _time(ask: Callable[[], None]) -> float:
    for _ in range(REQUESTS // 10):
        ask()
    began = time.process_time()
    for _ in range(REQUESTS):
        ask()
    return (time.process_time() - began) / REQUESTS * 1e6


if __name__ == "__main__":
    main()
