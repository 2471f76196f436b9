"""A log that nobody reads: its pipe is full, or has no reader any more."""

import contextlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.sink import Sink
from tests.harness.waiting import wait_until
from tests.torture.neighbours.asking import PROBES

Serve = Callable[..., Served]
KINDS = ["serve-wsgi", "serve-asgi", "gunicorn"]
GRACEFUL_SECONDS, SILENT_SECONDS = 3, 4
# For a server's own end, and five for a busy machine.
SPARE_SECONDS = 2 + 5


@pytest.fixture
def sink(tmp_path: Path) -> Iterator[Sink]:
    sink = Sink(tmp_path / "log")
    yield sink
    sink.close()


@pytest.fixture
def project(project: Project) -> Project:
    environ = {"DOCKERFLOW_WORKER_SILENT_SECONDS": str(SILENT_SECONDS), "PROJECT_LOGGING": "1"}
    return project.with_environ(**environ)


def started(served: Serve, project: Project, kind: str, before: list[str]) -> Served:
    option = "--graceful-timeout"
    instance = served(
        *(option, str(GRACEFUL_SECONDS)),
        project=project,
        kind=kind,
        before=before,
        drain_seconds=0,
        wait=False,
    )
    wait_until(lambda: answers(instance), timeout=40, what=f"{kind} is ready")
    return instance


def answers(instance: Served) -> bool:
    with contextlib.suppress(OSError):
        return {instance.probe(name).status for name in PROBES} == {200}
    return False


@pytest.mark.parametrize("kind", KINDS)
def test_full_pipe(served: Serve, project: Project, sink: Sink, kind: str) -> None:
    """Requests wait for the log, the probe port answers on, and the exit comes in time."""
    instance = started(served, project, kind, sink.before)
    sink.fill()
    waiting = [instance.connect() for _ in range(4)]
    for connection in waiting:
        connection.send("GET", "/plain/")
    end = time.monotonic() + 2 * SILENT_SECONDS
    while time.monotonic() < end:
        for name in PROBES:
            answer = instance.probe(name, timeout=5)
            assert (name, answer.status) == (name, 200), answer.body
    assert instance.stop(timeout=GRACEFUL_SECONDS + SPARE_SECONDS).code == 0
    for connection in waiting:
        connection.hang_up()


@pytest.mark.parametrize("kind", KINDS)
def test_broken_pipe(served: Serve, project: Project, sink: Sink, kind: str) -> None:
    """Requests and probes are answered as before, and the exit is in order."""
    instance = started(served, project, kind, sink.before)
    (worker,) = instance.workers()
    sink.shut()
    for path in ("/plain/", "/__heartbeat__", "/session/"):
        answers_ = http.concurrently(
            lambda path=path: instance.get(path, timeout=20), total=20, at_once=4
        )
        assert {answer.status for answer in answers_} == {200}
    assert instance.get("/broken/").status == 500
    assert {instance.probe(name).status for name in ("liveness", "readiness")} == {200}
    assert instance.workers() == [worker]
    assert instance.stop(timeout=GRACEFUL_SECONDS + SPARE_SECONDS).code == 0


@pytest.mark.parametrize("to", [">/dev/full 2>&1", ">&- 2>&-"], ids=["full", "closed"])
@pytest.mark.parametrize("kind", KINDS)
def test_output_that_takes_nothing(served: Serve, project: Project, kind: str, to: str) -> None:
    """A server starts, replaces a worker that dies, and ends in order; lines are lost."""
    buffered = project.with_environ(PYTHONUNBUFFERED="")
    instance = started(served, buffered, kind, ["sh", "-c", f'exec "$@" {to}', "sh"])
    (worker,) = instance.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(
        lambda: worker not in instance.workers() and answers(instance),
        timeout=40,
        what="another worker serves",
    )
    assert instance.get("/plain/").status == 200
    # Gunicorn leaves its last words to the interpreter, whose status it then is.
    code = 120 if kind == "gunicorn" and "full" in to else 0
    assert instance.stop(timeout=GRACEFUL_SECONDS + SPARE_SECONDS).code == code
