"""The project with two workers and its own PostgreSQL, under load, before a real Prometheus."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from dockerflow_django.metrics import dashboards
from tests.harness.postgres import PostgreSQL
from tests.harness.project import Project
from tests.harness.prometheus import Prometheus
from tests.harness.servers import Server
from tests.metrics.conftest import with_metrics

JOB = "shop"
PATHS = (
    *("/__heartbeat__", "/__heartbeat__/readiness", "/plain/", "/queries/?n=3", "/items/4/"),
    *("/broken/", "/missing-raised/", "/unavailable/", "/slow/?seconds=0.04"),
)
GRAFANA = {
    "$job": ".*",
    "$instance": ".*",
    "$__rate_interval": "10s",
}


class Stage(NamedTuple):
    """What is looked at."""

    prometheus: Prometheus
    postgresql: PostgreSQL
    server: Server


@contextmanager
def staged(kind: str, folder: Path) -> Iterator[Stage]:
    """Serve, ask for every path over and over, and scrape."""
    with PostgreSQL() as postgresql:
        postgresql.create_database("shop")
        project = _project(folder, postgresql)
        project.migrate()
        with (
            Server(kind, project, options=("--workers", "2")) as server,
            Prometheus({JOB: (server.address, "/__metrics__")}, _impatient_rules()) as prometheus,
            _load(server),
        ):
            yield Stage(prometheus, postgresql, server)


def panels() -> dict[str, list[str]]:
    """Return the expressions of each panel by its title, with Grafana's variables filled in."""
    found = json.loads(dashboards.dashboard())["panels"]
    return {
        panel["title"]: [_filled_in(target["expr"]) for target in panel["targets"]]
        for panel in found
        if "targets" in panel
    }


def _filled_in(expression: str) -> str:
    for variable, value in GRAFANA.items():
        expression = expression.replace(variable, value)
    assert "$" not in expression
    return expression


def _project(folder: Path, postgresql: PostgreSQL) -> Project:
    project = with_metrics(Project(folder))
    settings = {
        **postgresql.settings("shop"),
        "ENGINE": "django_prometheus.db.backends.postgresql",
    }
    return project.with_databases(default=settings)


def _impatient_rules() -> str:
    return re.sub(r"for: \d+m", "for: 1s", dashboards.rules())


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
