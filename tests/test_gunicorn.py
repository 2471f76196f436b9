"""The hooks for Gunicorn: the same probes and the same drain."""

import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]


@pytest.mark.parametrize("kind", ["gunicorn", "gunicorn-sync"])
def test_term_drains(served: Serve, kind: str) -> None:
    """SIGTERM drains: readiness fails, requests are served, the one under way finishes (H6, P1)."""
    instance = served("--workers", "2", kind=kind, drain_seconds=1.5)
    assert instance.probe("readiness").status == 200
    answers: list[http.Answer] = []
    thread = threading.Thread(
        target=lambda: answers.append(instance.get("/slow/?seconds=3", timeout=10))
    )
    thread.start()
    wait_until(lambda: instance.project.count("slow.waiting"))
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503, timeout=1)
    assert instance.probe("liveness").status == 200
    answer = instance.get("/plain/", headers={"Connection": "keep-alive"})
    assert (answer.status, answer.headers["Connection"]) == (200, "close")
    ended = instance.wait()
    thread.join(10)
    assert [answer.status for answer in answers] == [200]
    assert ended.code == 0


def test_second_term_hurries(served: Serve) -> None:
    """A second SIGTERM ends the drain."""
    instance = served(kind="gunicorn", drain_seconds=60)
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("Draining for 60.0 s")
    ended = instance.stop()
    assert ended.code == 0


def test_drain_counts_from_who_began(served: Serve, project: Project) -> None:
    """What a ``preStop`` has waited already is not waited again after SIGTERM."""
    marker = project.folder / "draining"
    draining = project.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))
    for kind in ("gunicorn", "serve-wsgi"):
        Path(marker).unlink(missing_ok=True)
        instance = served(kind=kind, project=draining, drain_seconds=30)
        argv = [sys.executable, "-m", "dockerflow_django.drain", "--wait", "1"]
        subprocess.run(argv, env=draining.env(), check=True, capture_output=True)
        instance.send_signal(signal.SIGTERM)
        remaining = instance.wait_for_line(r"Draining.* ([\d.]+) s").group(1)
        assert 27 < float(remaining) <= 29
        assert instance.stop().code == 0


def test_taken_probe_port(served: Serve) -> None:
    """A taken probe port ends the start: it is never shared silently."""
    first = served(kind="gunicorn")
    second = served(
        kind="gunicorn",
        project=first_project(first, DOCKERFLOW_PROBE_PORT=str(first.probe_port.number)),
        wait=False,
    )
    assert second.wait(15).code != 0
    assert "probe port" in str(second.output)


def test_worker_that_dies_is_replaced(served: Serve) -> None:
    """A killed worker is forgotten, and the probes ask its successor."""
    instance = served("--workers", "2", kind="gunicorn")
    before = instance.workers()
    psutil.Process(before[0]).kill()
    wait_until(lambda: len(set(instance.workers()) - set(before)) == 1)
    wait_until(lambda: instance.probe("readiness").status == 200)


def first_project(first: Served, **environ: str) -> Project:
    """Return the project of an instance with another environment."""
    return first.project.with_environ(**environ)
