"""The worker classes of Gunicorn that the hooks know, and what differs between them."""

import sys
from collections.abc import Callable
from typing import Any

# Uvicorn's by either of its packages.
WSGI_WORKERS = {
    "gunicorn.workers.sync.SyncWorker",
    "gunicorn.workers.gthread.ThreadWorker",
    "gunicorn.workers.ggevent.GeventWorker",
    "gunicorn.workers.ggevent.GeventPyWSGIWorker",
}
GUNICORNS_ASGI_WORKER = "gunicorn.workers.gasgi.ASGIWorker"
UVICORNS_WORKERS = {
    f"{module}.{name}"
    for module in ("uvicorn.workers", "uvicorn_worker._workers")
    for name in ("UvicornWorker", "UvicornH11Worker")
}


class StartError(Exception):
    """Gunicorn must not start; the text says why."""


def refuse_patched_arbiter() -> None:
    """Refuse an arbiter whose threads are greenlets: none runs while another one waits."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_anything_patched():
        raise StartError(
            "gevent has patched the arbiter, where nothing would answer the probes. Remove "
            "gevent.monkey.patch_all() from gunicorn.conf.py: the worker class gevent patches each "
            "worker itself."
        )


def refuse_unknown_worker(worker_class: type) -> None:
    """Refuse a class whose way of working these hooks do not know."""
    known = WSGI_WORKERS | UVICORNS_WORKERS | {GUNICORNS_ASGI_WORKER}
    if not any(_path(each) in known for each in worker_class.__mro__):
        raise StartError(
            f"the worker class {_path(worker_class)} is not supported: its probes could not be "
            "trusted. Use sync, gthread, gevent, asgi or Uvicorn's worker."
        )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def when_served(
    worker: Any, on_served: Callable[[], None], on_failed: Callable[[str], None]
) -> None:
    """Call `on_served` now, or when the lifespan of an ASGI application has started."""
    paths = {_path(each) for each in type(worker).__mro__}
    is_gunicorns, is_uvicorns = GUNICORNS_ASGI_WORKER in paths, bool(paths & UVICORNS_WORKERS)
    if not is_gunicorns and not is_uvicorns:
        on_served()
        return
    from dockerflow_django.supervisor.application import Asgi

    if is_gunicorns:
        # Gunicorn runs the lifespan of what this attribute holds after this hook.
        has_lifespan = worker.cfg.asgi_lifespan != "off"
        worker.asgi = Asgi(worker.asgi, on_served, on_failed=on_failed, has_lifespan=has_lifespan)
    else:
        has_lifespan = worker.config.lifespan != "off"
        worker.wsgi = Asgi(worker.wsgi, on_served, on_failed=on_failed, has_lifespan=has_lifespan)


def threads_of(worker: Any) -> int | None:
    """Return how many requests the worker runs at once; of an event loop nobody can tell."""
    name = type(worker).__name__
    if name == "SyncWorker":
        return 1
    return int(worker.cfg.threads) if name == "ThreadWorker" else None
