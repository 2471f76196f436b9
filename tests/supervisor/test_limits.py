"""Few descriptors and many idle clients: nothing dies, and every probe is answered."""

import os
import re
import resource
import sys
from collections.abc import Callable
from pathlib import Path
from signal import SIGHUP

import psutil
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


def open_on(pid: int, path: str) -> list[int]:
    """Return the descriptors of a process that are open on that path."""
    links = Path(f"/proc/{pid}/fd").iterdir()
    return [int(link.name) for link in links if str(link.readlink()) == path]


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_no_descriptor_for_a_successor(served: Serve, kind: str) -> None:
    """A successor that the supervisor has no descriptor for is told, and started later.

    Meanwhile the others serve, and the probes are answered.
    """
    instance = served("--workers", "2", kind=kind)
    one, two = instance.workers()
    limits = resource.prlimit(instance.pid, resource.RLIMIT_NOFILE)
    # What the supervisor opens for its workers comes after what it keeps in reserve.
    limit = max(open_on(instance.pid, os.devnull)) + 1
    resource.prlimit(instance.pid, resource.RLIMIT_NOFILE, (limit, limits[1]))
    psutil.Process(one).kill()
    instance.wait_for_line("cannot be started: Too many open files", timeout=20)
    descriptors = psutil.Process(instance.pid).num_fds()
    wait_until(lambda: len([x for x in instance.lines() if "cannot be started" in x]) >= 3)
    assert psutil.Process(instance.pid).num_fds() <= descriptors
    for probe in ("liveness", "readiness"):
        assert instance.probe(probe).status == 200
    assert instance.workers() == [two]
    resource.prlimit(instance.pid, resource.RLIMIT_NOFILE, limits)
    wait_until(lambda: instance.births() == 3)
    assert instance.stop(timeout=20).code == 0


@pytest.mark.long
def test_no_descriptor_for_a_reload(served: Serve) -> None:
    """A reload that the supervisor has no descriptor for leaves the old worker where it is."""
    instance = served()
    before = instance.workers()
    limits = resource.prlimit(instance.pid, resource.RLIMIT_NOFILE)
    limit = max(open_on(instance.pid, os.devnull)) + 1
    resource.prlimit(instance.pid, resource.RLIMIT_NOFILE, (limit, limits[1]))
    instance.send_signal(SIGHUP)
    instance.wait_for_line("cannot be started: Too many open files: the old one stays", timeout=20)
    assert instance.workers() == before
    assert instance.get("/plain/").status == 200
    assert instance.probe("readiness").status == 200


@pytest.mark.long
@pytest.mark.parametrize(("workers", "what"), [(60, "the server"), (22, r"Worker \d+")])
def test_no_descriptor_for_the_start(served: Serve, workers: int, what: str) -> None:
    """A start for which there are too few descriptors is one line and status 1, and leaves none."""
    before = [sys.executable, "-c", LIMITED]
    instance = served("--workers", str(workers), before=before, wait=False)
    assert instance.wait(60).code == 1
    said = rf"Not serving: {what} cannot be started: Too many open files"
    assert re.search(said, str(instance.output)), instance.output
    assert "Traceback" not in str(instance.output)
    assert instance.family() == []
