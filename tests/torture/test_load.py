"""Load alone fails no probe, and delays none: beside an idle container, on the same machine."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.figures import Figures
from tests.torture.turns import BUSY_STRANGER, Turns

pytestmark = pytest.mark.alone

Serve = Callable[..., Served]

# Gunicorn kills a worker that is busy for so long, and nothing but a view runs in it.
PATIENT = ["--timeout", "300"]
# With the options for two requests at once, where threads answer them.
KINDS = {
    "serve-wsgi": ["--", "--blocking-threads", "2"],
    "serve-asgi": [],
    "gunicorn": ["--threads", "2"],
    "gunicorn-sync": PATIENT,
    "gunicorn-gevent": PATIENT,
    "gunicorn-asgi": [],
    "gunicorn-uvicorn": [],
}


@contextmanager
def burning(instance: Served, threads: int) -> Iterator[None]:
    """Keep so many threads of pure Python busy in the worker."""
    name = f"burn-{threads}"
    path = f"/burn/?threads={threads}&name={name}"
    asking = threading.Thread(target=instance.get, args=(path,), kwargs={"timeout": 180})
    asking.start()
    # Under gevent they are greenlets, and the first one that computes lets no other begin.
    begun = 1 if instance.kind == "gunicorn-gevent" else threads
    wait_until(lambda: instance.project.count(f"{name}.waiting") == begun, timeout=60)
    try:
        yield
    finally:
        instance.project.make(f"{name}.release")
        asking.join()


@contextmanager
def blocked(instance: Served, threads: int) -> Iterator[None]:
    """Have every thread of the worker wait in its view."""
    asking = [
        threading.Thread(target=instance.get, args=("/blocked/",), kwargs={"timeout": 180})
        for _ in range(threads)
    ]
    for thread in asking:
        thread.start()
    wait_until(lambda: instance.project.count("blocked.waiting") >= threads)
    try:
        yield
    finally:
        instance.project.make("blocked.release")
        for thread in asking:
            thread.join()


@pytest.mark.parametrize("kind", KINDS)
def test_probes_beside_an_idle_container(
    served: Serve, project: Project, figures: Figures, kind: str
) -> None:
    """However busy a worker, every probe passes, at most 50 ms later than an idle container's."""
    options = KINDS[kind]
    loaded = served(*options, kind=kind)
    idle = served(*options, kind=kind, before=BUSY_STRANGER)
    # One request at once: the other worker's views are in its one thread, or in its event loop.
    at_once = 2 if kind in {"serve-wsgi", "gunicorn"} else 1
    loads = {
        **{f"{n} threads of Python": burning(loaded, n) for n in (1, 8, 32)},
        "all threads blocked": blocked(loaded, at_once),
    }
    for load, under in loads.items():
        turns = Turns(loaded, idle)
        with under:
            turns.ask(200)
        figures.note("Load", f"{kind}, {load}", **turns.figures())
        turns.assert_as_fast(0.99)
    assert "does not answer" not in str(loaded.output)
