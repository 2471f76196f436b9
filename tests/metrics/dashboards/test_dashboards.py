"""The dashboard and the rules, without a server: their form, their metric names, their alerts."""

import json
import re
import subprocess
from itertools import combinations
from pathlib import Path
from shutil import copy

import django_prometheus.db.metrics  # noqa: F401 - defines what the database panels show
import pytest
from django_prometheus.middleware import Metrics
from prometheus_client import REGISTRY

from dockerflow_django.metrics import dashboards, definitions
from tests.harness.programs import find_program

ALERTS = Path(__file__).with_name("alerts.yaml")
METRIC = re.compile(r"\b((?:shop_)?django|dockerflow)(_[a-z_]+)\b")
RECORDED = re.compile(r"record: (\S+)")


def promtool(*arguments: str, cwd: Path) -> str:
    """Run promtool, and return what it printed where it was content."""
    done = subprocess.run(
        [find_program("promtool"), *arguments], cwd=cwd, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(params=["", "shop"])
def namespace(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Give django-prometheus a namespace, or none."""
    monkeypatch.setattr(dashboards, "NAMESPACE", request.param)
    return request.param


def test_rules_are_valid(tmp_path: Path, namespace: str):
    """Prometheus reads every rule, whatever the namespace."""
    (tmp_path / "rules.yaml").write_text(dashboards.rules())
    assert "13 rules found" in promtool("check", "rules", "rules.yaml", cwd=tmp_path)


def test_alerts_fire_when_they_should(tmp_path: Path):
    """Each of the seven alerts has a case in which it fires and one in which it does not."""
    (tmp_path / "rules.yaml").write_text(dashboards.rules())
    copy(ALERTS, tmp_path)
    promtool("test", "rules", ALERTS.name, cwd=tmp_path)
    defined = re.findall(r"- alert: (\w+)", dashboards.rules())
    assert set(re.findall(r"alertname: (\w+)", ALERTS.read_text())) == set(defined)


def test_every_metric_exists(namespace: str):
    """Each name is one that this app or the installed django-prometheus defines (P2, P3, P5)."""
    Metrics.get_instance()
    definitions.ready()
    definitions.requests_in_progress()
    known = {_full(name, namespace) for name in REGISTRY._names_to_collectors}
    text = "\n".join([*_expressions(), dashboards.rules()])
    for label in RECORDED.findall(text):
        text = text.replace(label, "")
    used = {"".join(parts) for parts in METRIC.findall(_without_prose(text))}
    assert len(used) > 10
    assert used <= known


def test_dashboard_is_well_formed():
    """Every panel has an id of its own, a place of its own and a title."""
    panels = json.loads(dashboards.dashboard())["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert all(panel["title"] for panel in panels)
    places = [_cells(panel["gridPos"]) for panel in panels]
    assert not [pair for pair in combinations(places, 2) if pair[0] & pair[1]]


def test_variables_are_defined():
    """Every `$variable` in an expression is one of the dashboard's or of Grafana's."""
    dashboard = json.loads(dashboards.dashboard())
    defined = {f"${variable['name']}" for variable in dashboard["templating"]["list"]}
    used = {name for text in _expressions() for name in re.findall(r"\$\w+", text)}
    assert used <= defined | {"$__rate_interval"}


def _expressions() -> list[str]:
    dashboard = json.loads(dashboards.dashboard())
    asked = [target["expr"] for panel in dashboard["panels"] for target in panel.get("targets", ())]
    return [*asked, *(each["expr"] for each in dashboard["annotations"]["list"])]


def _without_prose(text: str) -> str:
    lines = text.splitlines()
    prose = ("#", "summary:", "description:")
    return "\n".join(re.sub(r'"[^"]*"', "", x) for x in lines if not x.strip().startswith(prose))


def _full(name: str, namespace: str) -> str:
    return f"{namespace}_{name}" if namespace and name.startswith("django_") else name


def _cells(place: dict[str, int]) -> set[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    rows = range(place["y"], place["y"] + place["h"])
    return {(column, row) for column in columns for row in rows}
