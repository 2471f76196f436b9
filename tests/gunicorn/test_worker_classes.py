"""The worker classes: which are refused, and when one of them serves."""

import os
import sys
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.gasgi import ASGIWorker
from gunicorn.workers.sync import SyncWorker
from uvicorn_worker import UvicornWorker

from dockerflow_django.gunicorn.worker_classes import (
    StartError,
    refuse_patched_arbiter,
    refuse_unknown_worker,
    when_served,
)


class Strange(Worker):
    """A class that nobody knows."""


class Own(SyncWorker):
    """A project's own class that works as a known one."""


class UvicornWithoutLifespan(UvicornWorker):
    """Uvicorn's worker as its users configure it."""

    CONFIG_KWARGS = {**UvicornWorker.CONFIG_KWARGS, "lifespan": "off"}  # noqa: RUF012


def test_patched_arbiter(monkeypatch: pytest.MonkeyPatch) -> None:
    """An arbiter that gevent has patched is refused; one that has only imported it is not."""
    monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)
    refuse_patched_arbiter()
    for is_patched in (False, True):
        monkey = SimpleNamespace(is_anything_patched=lambda answer=is_patched: answer)
        monkeypatch.setitem(sys.modules, "gevent.monkey", monkey)
        if not is_patched:
            refuse_patched_arbiter()
    with pytest.raises(StartError, match="gevent has patched the arbiter"):
        refuse_patched_arbiter()


def test_unknown_class() -> None:
    """A class that is not derived from a known one is refused by its name."""
    refuse_unknown_worker(Own)
    name = f"{__name__}.Strange"
    with pytest.raises(StartError, match=f"the worker class {name} is not supported"):
        refuse_unknown_worker(Strange)


def made(server: Arbiter, worker_class: Callable[..., Any]) -> Any:
    worker = worker_class(1, os.getpid(), [], server.app, 30, server.cfg, server.log)
    worker.tmp.close()
    return worker


def test_wsgi_worker_serves_at_once(server: Arbiter) -> None:
    """A worker of WSGI that has loaded the application serves."""
    served: list[bool] = []
    when_served(made(server, Own), lambda: served.append(True), pytest.fail)
    assert served == [True]


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("worker_class", "lifespan", "attribute"),
    [
        (ASGIWorker, "auto", "asgi"),
        (ASGIWorker, "off", "asgi"),
        (UvicornWorker, "auto", "wsgi"),
        (UvicornWithoutLifespan, "off", "wsgi"),
    ],
)
def test_asgi_worker(
    server: Arbiter,
    worker_class: type,
    lifespan: str,
    attribute: str,
    fails: bool,
) -> None:
    """A worker of ASGI serves once the lifespan has started, at once if none is run."""
    told: list[str] = []
    kind = "failed" if fails else "complete"

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": f"lifespan.startup.{kind}", "message": "no database"})

    async def receive() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def send(message: dict[str, str]) -> None:
        """Be the server, which is told too."""

    server.cfg.set("asgi_lifespan", lifespan)
    worker = made(server, worker_class)
    setattr(worker, attribute, application)
    when_served(worker, lambda: told.append("serves"), told.append)
    if lifespan == "off":
        assert told == ["serves"]
        return
    assert told == []
    async_to_sync(getattr(worker, attribute))({"type": "lifespan"}, receive, send)
    assert told == (["no database"] if fails else ["serves"])
