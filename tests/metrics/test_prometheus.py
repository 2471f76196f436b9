"""A real Prometheus scrapes the project under load while its PostgreSQL stops and starts."""

import re
from collections.abc import Iterator

import pytest

from tests.harness.waiting import wait_until
from tests.metrics.stage import Stage, panels, staged

WELL = 'dockerflow_check_status{check="check_database_connected"} == 0'
ALERT = ("DockerflowHeartbeatFailing", "check_database_connected")


@pytest.fixture(scope="module", params=["granian-wsgi", "gunicorn-gthread"])
def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stage]:
    """Serve with two workers and a PostgreSQL of its own, under load, and scrape it."""
    with staged(request.param, tmp_path_factory.mktemp("stage")) as stage:
        _lose_the_database_once(stage)
        yield stage


@pytest.mark.long
def test_alert_fires_while_postgresql_is_down(stage: Stage):
    """The alert names the check, and resolves when the database is back."""
    wait_until(lambda: stage.prometheus.query(WELL), timeout=20, what="all is well")
    wait_until(lambda: ALERT not in stage.prometheus.firing(), timeout=20, what="nothing fires")
    stage.postgresql.stop()
    try:
        wait_until(lambda: ALERT in stage.prometheus.firing(), timeout=20, what="the alert fires")
    finally:
        stage.postgresql.start()
    wait_until(
        lambda: ALERT not in stage.prometheus.firing(), timeout=20, what="the alert resolves"
    )


@pytest.mark.long
def test_every_expression_has_data(stage: Stage):
    """No panel and no rule asks for a metric that is not there (P2, P3, P4, P5)."""
    rules = [_without_threshold(rule) for rule in stage.prometheus.expressions()]
    shown = [expression for panel in panels().values() for expression in panel]
    assert len(shown) > 20
    for expression in (*shown, *rules):
        wait_until(
            lambda expression=expression: stage.prometheus.query(expression),
            timeout=15,
            what=expression,
        )


@pytest.mark.long
def test_labels_are_bounded(stage: Stage):
    """Methods and paths that a client makes up are no labels (H15)."""
    for number in range(30):
        stage.server.request(f"MADEUP{number}", f"/made/up/{number}/")
    query = 'count(count by (method) ({method=~".*MADEUP.*"})) or vector(0)'
    wait_until(lambda: stage.prometheus.query('{method="<invalid method>"}'), timeout=15)
    assert stage.prometheus.query(query) == [({}, 0.0)]
    assert stage.prometheus.query('{view=~".*made.*"}') == []


def _lose_the_database_once(stage: Stage) -> None:
    """See to it that there is an error of every kind to count."""
    stage.postgresql.stop()
    try:
        failed = "django_db_new_connection_errors_total"
        wait_until(lambda: stage.prometheus.query(failed), timeout=20, what=failed)
    finally:
        stage.postgresql.start()


def _without_threshold(rule: str) -> str:
    """Return what an alert compares, without what it is compared with."""
    return re.sub(r" (?:==|>) [\d.]+$", "", rule.partition(" unless ")[0]).replace(
        "offset 1h", "offset 1s"
    )
