"""A private Prometheus that scrapes what a test serves."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.harness import http
from tests.harness.ports import LOOPBACK
from tests.harness.programs import find_program
from tests.harness.services import Service

CONFIG = """
global:
  scrape_interval: 500ms
  scrape_timeout: 500ms
  evaluation_interval: 250ms
rule_files: [rules.yaml]
scrape_configs:
"""
JOB = """
  - job_name: {name}
    metrics_path: {path}
    static_configs:
      - targets: ["{target}"]
"""


class Prometheus(Service):
    """It asks each job's ``(address, path)`` twice a second, and evaluates the rules."""

    programs = ("prometheus",)

    def __init__(self, jobs: Mapping[str, tuple[tuple[str, int], str]], rules: str = "") -> None:
        super().__init__()
        config = CONFIG + "".join(
            JOB.format(name=name, path=path, target=f"{host}:{port}")
            for name, ((host, port), path) in jobs.items()
        )
        for name, text in {"prometheus.yml": config, "rules.yaml": rules}.items():
            (self.folder / name).write_text(text)

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address={LOOPBACK}:{self.port}",
            "--log.level=error",
        ]

    def answers(self) -> bool:
        try:
            return http.request((LOOPBACK, self.port), "GET", "/-/ready").status == 200
        except OSError:
            return False

    def api(self, path: str, **params: str) -> Any:
        """Ask the HTTP API and return the ``data`` of its answer."""
        answer = http.request((LOOPBACK, self.port), "GET", f"/api/v1/{path}?{urlencode(params)}")
        found = json.loads(answer.body)
        assert found["status"] == "success", found
        return found["data"]

    def query(self, expression: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the value of every series that the expression has now."""
        result = self.api("query", query=expression)["result"]
        return [(series["metric"], float(series["value"][1])) for series in result]

    def expressions(self) -> list[str]:
        """Return the expression of every rule, as Prometheus has read it."""
        groups = self.api("rules")["groups"]
        return [rule["query"] for group in groups for rule in group["rules"]]

    def firing(self) -> set[tuple[str, str]]:
        """Return the alerts that fire, each with its ``check`` label."""
        alerts = [alert for alert in self.api("alerts")["alerts"] if alert["state"] == "firing"]
        return {(a["labels"]["alertname"], a["labels"].get("check", "")) for a in alerts}
