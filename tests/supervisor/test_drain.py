"""Drains with a birth, a death, a freeze: readiness fails to the end, and the exit is 0."""

import signal
import time
from collections.abc import Callable

import psutil
import pytest

from tests.harness.processes import is_alive
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]
GRACEFUL = {"serve-wsgi": "--graceful-timeout", "gunicorn": "--graceful-timeout"}


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn", "gunicorn-gevent"])
def test_death_and_birth(served: Serve, kind: str) -> None:
    """The successor of a worker that dies in a drain drains too."""
    instance = served("--workers", "2", kind=kind, drain_seconds=60)
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    psutil.Process(instance.workers()[0]).kill()

    def is_replaced() -> bool:
        assert instance.probe("readiness").status == 503
        return instance.births() == 3

    wait_until(is_replaced, timeout=20)
    for _ in range(8):  # whichever worker it is
        assert instance.get("/__heartbeat__/readiness", timeout=5).status == 503
    assert instance.probe("liveness").status == 200
    instance.send_signal(signal.SIGTERM)  # ends the drain
    assert instance.wait(20).code == 0


@pytest.mark.long
@pytest.mark.parametrize("kind", GRACEFUL)
def test_freeze(served: Serve, kind: str) -> None:
    """A frozen worker hears of nothing, and ends with the graceful timeout."""
    instance = served("--workers", "2", GRACEFUL[kind], "2", kind=kind, drain_seconds=4)
    frozen = psutil.Process(instance.workers()[0])
    frozen.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    assert instance.wait(20).code == 0
    assert time.monotonic() - began < 4 + 2 + 1 + 5  # five for a busy machine
    assert not is_alive(frozen)


@pytest.mark.long
def test_frozen_worker_drains_when_it_goes_on(served: Serve) -> None:
    """A worker that was frozen when the drain began learns of it as soon as it goes on."""
    instance = served(kind="serve-wsgi", drain_seconds=8)
    worker = psutil.Process(instance.workers()[0])
    worker.send_signal(signal.SIGSTOP)
    time.sleep(2.5)  # so that questions wait for it
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    worker.send_signal(signal.SIGCONT)
    wait_until(lambda: instance.get("/__heartbeat__/readiness").status == 503)
    assert instance.get("/plain/").headers["Connection"] == "close"
    assert instance.wait(20).code == 0
