"""The date is set back by a day, and forward again, while everything runs."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.harness.processes import Process
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.neighbours.asking import assert_ends, assert_serves, passes, summaries
from tests.torture.neighbours.clock import DAY_SECONDS, Clock

Serve = Callable[..., Served]
ROUNDS = 15


@pytest.fixture
def clock(tmp_path: Path) -> Iterator[Clock]:
    clock = Clock(tmp_path)
    yield clock
    clock.close()


@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_server(served: Serve, project: Project, clock: Clock, kind: str) -> None:
    """No probe fails, no duration is negative, and a drain marker goes on being obeyed."""
    marker = project.folder / "drain"
    project = project.with_environ(
        **clock.environ, PROJECT_LOGGING="1", DOCKERFLOW_DRAIN_PATH=str(marker)
    )
    project = project.with_settings(
        DOCKERFLOW_HEARTBEAT_DETAILS="always", DOCKERFLOW_SUMMARY_LOG_HEALTH=True
    )
    instance = served(project=project, kind=kind)
    assert_serves(instance)
    for number in range(ROUNDS):
        clock.set(days=-(number % 2))
        assert passes(instance)
        assert instance.get("/slow/?seconds=0.05").status == 200
        assert instance.get("/__heartbeat__").status == 200
    times = timestamps(instance)
    assert max(times) - min(times) > DAY_SECONDS * 0.9 * 10**9  # the log has the date that is set
    told = summaries(instance)
    assert min(one["t"] for one in told) >= 0
    assert max(one["t"] for one in told) < 60_000
    drain(project)
    for number in range(4):
        clock.set(days=-(number % 2))
        wait_until(lambda: instance.probe("readiness").status == 503)
        assert instance.probe("liveness").status == 200
    assert_ends(instance)


def test_probe_file(project: Project, clock: Clock) -> None:
    """What a background worker has written holds, whichever way the date is set."""
    path = project.folder / "probes"
    project = project.with_environ(
        **clock.environ, DOCKERFLOW_PROBE_FILE=str(path), DOCKERFLOW_CHECKS="[]"
    )
    script = (
        "import django, time; django.setup()\n"
        "from dockerflow_django.tasks import serve_probes\n"
        "with serve_probes(stall_seconds=60) as probes:\n"
        "    while True: probes.alive(); time.sleep(0.1)\n"
    )
    argv = [sys.executable, "-c", script]
    with Process(argv, env=project.env(), cwd=project.folder) as worker:
        wait_until(lambda: healthcheck(project, path) == 0, timeout=30, what=str(worker.output))
        for number in range(ROUNDS):
            clock.set(days=-(number % 2))
            written = path.read_bytes()
            wait_until(lambda written=written: path.read_bytes() != written)
            assert healthcheck(project, path) == 0


def timestamps(instance: Served) -> list[int]:
    lines = [line for line in instance.lines("stdout") if line.startswith("{")]
    return [json.loads(line)["Timestamp"] for line in lines]


def drain(project: Project) -> None:
    argv = [sys.executable, "-m", "dockerflow_django.drain"]
    subprocess.run(argv, env=project.env(), check=True, capture_output=True, timeout=30)


def healthcheck(project: Project, path: Path) -> int:
    argv = [sys.executable, "-m", "dockerflow_django.healthcheck", "--file", str(path)]
    done = subprocess.run(argv, env=project.env(), check=False, capture_output=True, timeout=30)
    return done.returncode
