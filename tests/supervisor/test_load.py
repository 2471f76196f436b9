"""Load alone fails no probe: the supervisor answers from what the workers said last."""

import statistics
import threading
from collections.abc import Callable

import pytest

from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]
KINDS = [
    "serve-wsgi",
    "serve-asgi",
    "gunicorn-sync",
    "gunicorn",
    "gunicorn-gevent",
    "gunicorn-asgi",
    "gunicorn-uvicorn",
]
# Beside the same client's own time while nothing is to be done; half of the answers at least, as
# whoever else runs on this machine may hold up some.
MORE_SECONDS = 0.05


def ask(instance: Served, probe: str, times: int) -> list[http.Answer]:
    return [instance.probe(probe) for _ in range(times)]


def median(answers: list[http.Answer]) -> float:
    return statistics.median(answer.seconds for answer in answers)


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_threads_of_pure_python(served: Serve, kind: str) -> None:
    """With many threads of pure Python in a worker all probes pass, as fast as when it is idle.

    ``tests/torture/test_load.py`` asks more of it.
    """
    instance = served(kind=kind)
    idle = median(ask(instance, "liveness", 50))
    burning = threading.Thread(
        target=instance.get, args=("/burn/?threads=8&seconds=3",), kwargs={"timeout": 60}
    )
    burning.start()
    while burning.is_alive():
        for probe in ("liveness", "readiness"):
            answers = ask(instance, probe, 50)
            assert {answer.status for answer in answers} == {200}
            assert median(answers) < idle + MORE_SECONDS
    burning.join()
    assert "does not answer" not in str(instance.output)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn-sync"])
def test_call_into_c_that_keeps_the_interpreter(served: Serve, project: Project, kind: str) -> None:
    """A call that keeps the interpreter for longer than the silent time is told, until it ends."""
    impatient = project.with_settings(DOCKERFLOW_WORKER_SILENT_SECONDS=3)
    instance = served(kind=kind, project=impatient)
    holding = threading.Thread(
        target=instance.get, args=("/hold-interpreter/?seconds=12",), kwargs={"timeout": 40}
    )
    holding.start()
    wait_until(lambda: instance.probe("liveness").status == 503, timeout=11)
    assert instance.probe("readiness").status == 503
    holding.join()
    wait_until(lambda: instance.probe("liveness").status == 200)


@pytest.mark.long
def test_slow_check_of_liveness(served: Serve, project: Project) -> None:
    """A liveness check that takes most of its time passes at every question, and costs none."""
    slow = [("tests.project.checks.slow", {"seconds": 0.5})]
    checked = project.with_settings(DOCKERFLOW_PROBES={"liveness": slow})
    instance = served(project=checked)
    wait_until(lambda: project.count("slow.runs") > 2)
    runs = project.count("slow.runs")
    answers = ask(instance, "liveness", 200)
    assert {answer.status for answer in answers} == {200}
    assert median(answers) < 0.25
    assert project.count("slow.runs") - runs < 50
