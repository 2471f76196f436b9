"""The metrics of a project under real servers with two workers each."""

import json
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from signal import SIGKILL

import psutil
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from tests.harness.project import Project
from tests.harness.servers import Server
from tests.harness.waiting import wait_until
from tests.metrics.conftest import TWO_WORKERS, value_files

Serve = Callable[..., Server]
OPENMETRICS = {"Accept": "application/openmetrics-text;version=1.0.0"}


def samples(server: Server, path: str = "/__metrics__") -> dict[str, float]:
    """Scrape, and return the value of each series, of which there is one each."""
    text = server.get(path).body.decode()
    found = [sample for family in parse_text(text) for sample in family.samples]
    values = {_series(sample): sample.value for sample in found}
    assert len(values) == len(found), "a series is there twice"
    return values


def _series(sample) -> str:
    labels = ",".join(f"{key}={value}" for key, value in sorted(sample.labels.items()))
    return f"{sample.name}{{{labels}}}"


def workers_of(server: Server) -> set[int]:
    """Ask until both workers have answered, and return their pids."""
    pids: set[int] = set()

    def both() -> bool:
        pids.add(json.loads(server.get("/where/").body)["pid"])
        return len(pids) == 2

    wait_until(both, timeout=20, what="both workers answer")
    return pids


def passed(server: Server, path: str) -> float:
    """Ask for the heartbeat, and return how many both workers have counted."""
    assert server.get(path).status == 200
    return samples(server).get("dockerflow_heartbeats_total{probe=heartbeat,status=passed}", 0)


def ask_both(server: Server, path: str) -> None:
    for _ in range(30):
        server.get(path)


@pytest.mark.parametrize("kind", TWO_WORKERS)
def test_two_workers_are_one_service(kind: str, serve: Serve, measured: Project):
    """Whoever is asked tells of both, in both formats, with no series twice and no `pid`."""
    server = serve(kind, measured, options=("--workers", "2"))
    pids = workers_of(server)
    wait_until(lambda: passed(server, "/__heartbeat__") >= 2, what="a second heartbeat is counted")
    ask_both(server, "/__heartbeat__/readiness")
    for path in ("/__metrics__", "/metrics"):
        values = samples(server, path)
        assert values["dockerflow_check_status{check=check_database_connected}"] == 0
        assert values["dockerflow_ready{}"] == 1
        assert values["dockerflow_requests_in_progress{}"] >= 0
        assert values["dockerflow_build_info{build=,commit=,source=,version=}"] == 1
        assert values["dockerflow_heartbeats_total{probe=heartbeat,status=passed}"] >= 2
        assert not [name for name in values if "dockerflow" in name and "pid=" in name]
    text = server.get("/__metrics__", headers=OPENMETRICS).body.decode()
    found = [s for family in parse_openmetrics(text) for s in family.samples]
    assert len({_series(sample) for sample in found}) == len(found)
    gauges = [f for f in value_files(measured) if f.startswith("gauge_live")]
    assert {int(name.rpartition("_")[2].removesuffix(".db")) for name in gauges} == pids


@pytest.mark.parametrize("kind", ["granian-wsgi", "gunicorn-gthread"])
def test_a_killed_worker_takes_its_gauges_and_leaves_its_counts(
    kind: str, serve: Serve, measured: Project
):
    """No counter falls when a worker is killed and replaced, and no gauge of it stays."""
    options = ("--workers", "2", *(("--respawn-failed-workers",) if "granian" in kind else ()))
    server = serve(kind, measured, options=options)
    pids = workers_of(server)
    ask_both(server, "/__heartbeat__")
    before = samples(server)
    victim = min(pids)
    os.kill(victim, SIGKILL)
    wait_until(lambda: not psutil.pid_exists(victim), timeout=10, what="the worker is gone")
    wait_until(lambda: _answers(server), timeout=20)
    new = workers_of(server)
    assert victim not in new
    after = samples(server)
    counts = [name for name in before if name.endswith(("_total", "_count", "_bucket"))]
    assert not {name for name in counts if after[name] < before[name]}
    left = value_files(measured)
    assert not [name for name in left if name.startswith("gauge_live") and f"_{victim}." in name]


@pytest.mark.long
def test_a_worker_that_ends_in_order_takes_its_gauges(serve: Serve, measured: Project):
    """Gunicorn's workers need no hook for it."""
    server = serve("gunicorn-gthread", measured, options=("--workers", "2"))
    workers_of(server)
    server.stop()
    left = value_files(measured)
    assert left
    assert not [name for name in left if name.startswith("gauge_live")]


@pytest.mark.long
@pytest.mark.parametrize("kind", TWO_WORKERS)
def test_requests_in_progress_are_those_of_both_workers(kind: str, serve: Serve, measured: Project):
    """Whichever worker is busy, and whichever is asked; the scrape itself does not count."""
    server = serve(kind, measured, options=("--workers", "2"))
    workers_of(server)
    gauge = "dockerflow_requests_in_progress{}"
    with ThreadPoolExecutor(2) as pool:
        busy = [pool.submit(server.get, "/blocked/", timeout=30.0) for _ in range(2)]
        try:
            wait_until(lambda: samples(server)[gauge] == 2, timeout=15, what="two are counted")
        finally:
            measured.make("blocked.release")
        assert [each.result().status for each in busy] == [200, 200]
    wait_until(lambda: samples(server)[gauge] == 0, timeout=15, what="none is left")


def test_management_commands_leave_no_values(measured: Project):
    """An exec probe that runs every ten seconds does not fill the folder of the values."""
    done = measured.manage("heartbeat")
    assert done.returncode == 0, done.stderr
    assert value_files(measured) == []


def _answers(server: Server) -> bool:
    try:
        return server.get("/__lbheartbeat__", timeout=5.0).status == 200
    except OSError:
        return False
