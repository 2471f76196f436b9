"""A real Prometheus scrapes the project under load while its PostgreSQL stops and starts."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

from dockerflow_django import dashboards
from tests.harness.postgres import PostgreSQL
from tests.harness.project import Project
from tests.harness.prometheus import Prometheus
from tests.harness.servers import Server
from tests.harness.waiting import wait_until
from tests.metrics.conftest import with_metrics

JOB = "shop"
ALERT = ("DockerflowHeartbeatFailing", "check_database_connected")
PATHS = (
    *("/__heartbeat__", "/__heartbeat__/readiness", "/plain/", "/queries/?n=3", "/items/4/"),
    *("/broken/", "/missing-raised/", "/unavailable/"),
)
GRAFANA = {
    "$job": ".*",
    "$instance": ".*",
    "$__rate_interval": "10s",
    # What began a minute ago has no history of one.
    "offset 2m": "offset 1s",
}


class Stage(NamedTuple):
    """What a test of this file looks at."""

    prometheus: Prometheus
    postgresql: PostgreSQL
    server: Server


@pytest.fixture(scope="module", params=["granian-wsgi", "gunicorn-gthread"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Serve with two workers and a PostgreSQL of its own, under load, and scrape it."""
    folder = tmp_path_factory.mktemp("stage")
    with PostgreSQL() as postgresql:
        postgresql.create_database("shop")
        project = _project(folder, postgresql)
        project.migrate()
        with (
            Server(request.param, project, options=("--workers", "2")) as server,
            Prometheus({JOB: (server.address, "/__metrics__")}, _impatient_rules()) as prometheus,
            _load(server),
        ):
            yield Stage(prometheus, postgresql, server)


def test_alert_fires_while_postgresql_is_down(stage: Stage):
    """The alert names the check, and resolves when the database is back."""
    wait_until(lambda: stage.prometheus.query("dockerflow_check_status == 0"), timeout=20)
    assert ALERT not in stage.prometheus.firing()
    stage.postgresql.stop()
    try:
        wait_until(lambda: ALERT in stage.prometheus.firing(), timeout=20, what="the alert fires")
    finally:
        stage.postgresql.start()
    wait_until(
        lambda: ALERT not in stage.prometheus.firing(), timeout=20, what="the alert resolves"
    )


def test_every_expression_has_data(stage: Stage):
    """No panel and no rule asks for a metric that is not there (P2, P3, P4, P5)."""
    rules = [_without_threshold(rule) for rule in stage.prometheus.expressions()]
    for expression in (*_panels(), *rules):
        wait_until(
            lambda expression=expression: stage.prometheus.query(expression),
            timeout=15,
            what=expression,
        )


def test_labels_are_bounded(stage: Stage):
    """A client that makes up methods and paths makes no series: only routes and known methods are labels (H15)."""
    for number in range(30):
        stage.server.request(f"MADEUP{number}", f"/made/up/{number}/")
    query = 'count(count by (method) ({method=~".*MADEUP.*"})) or vector(0)'
    wait_until(lambda: stage.prometheus.query('{method="<invalid method>"}'), timeout=15)
    assert stage.prometheus.query(query) == [({}, 0.0)]
    assert stage.prometheus.query('{view=~".*made.*"}') == []


def _project(folder: Path, postgresql: PostgreSQL) -> Project:
    project = with_metrics(Project(folder))
    settings = {
        **postgresql.settings("shop"),
        "ENGINE": "django_prometheus.db.backends.postgresql",
    }
    return project.with_databases(default=settings)


def _impatient_rules() -> str:
    return re.sub(r"for: \d+m", "for: 1s", dashboards.rules())


def _panels() -> list[str]:
    dashboard = json.loads(dashboards.dashboard())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    assert len(asked) > 20
    return [_filled_in(expression) for expression in asked]


def _filled_in(expression: str) -> str:
    for variable, value in GRAFANA.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


def _without_threshold(rule: str) -> str:
    """Return what an alert compares, without what it is compared with."""
    return re.sub(r" (?:==|>) [\d.]+$", "", rule.partition(" unless ")[0]).replace(
        "offset 1h", "offset 1s"
    )


@contextmanager
def _load(server: Server) -> Iterator[None]:
    """Ask for every path, over and over, from two threads."""
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            for path in PATHS:
                server.get(path)
                over.wait(0.02)

    threads = [threading.Thread(target=ask) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join(20)
