"""Few descriptors and many idle clients: nothing dies, and every probe is answered."""

import resource
import sys
from collections.abc import Callable

import pytest

from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]
# Sets the limit in the process itself, and becomes what follows.
LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100)); "
LIMITED += "os.execv(sys.argv[1], sys.argv[1:])"


# A `gthread` worker ends by itself when it cannot accept, unless its connections are limited.
OPTIONS = {
    "serve-wsgi": [],
    "gunicorn": ["--worker-connections", "40"],
    "gunicorn-asgi": [],
}


@pytest.mark.long
@pytest.mark.parametrize("kind", OPTIONS)
def test_few_descriptors(served: Serve, kind: str) -> None:
    """With a limit of 100 descriptors and 140 idle clients the worker lives and probes pass."""
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > 200
    instance = served(*OPTIONS[kind], kind=kind, before=[sys.executable, "-c", LIMITED])
    before = instance.workers()
    idle = [instance.connect() for _ in range(140)]
    try:
        for _ in range(40):
            assert instance.probe("liveness").status == 200
        assert instance.workers() == before
    finally:
        for connection in idle:
            connection.hang_up()
    wait_until(lambda: instance.probe("readiness").status == 200, timeout=20)
    wait_until(lambda: instance.get("/plain/", timeout=5).status == 200, timeout=20)
    assert instance.workers() == before
    assert "does not answer" not in str(instance.output)
