"""Both ports keep to the OpenAPI description, whatever schemathesis makes of it and asks."""

import json
import subprocess
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.documents import ROOT
from tests.harness.ports import LOOPBACK
from tests.harness.programs import missing
from tests.harness.project import Project
from tests.harness.served import Served
from tests.programs import need_beside_python
from tests.torture.figures import Figures
from tests.torture.size import size_of

Sized = Callable[..., Any]
Serve = Callable[..., Served]

DESCRIPTION = ROOT / "docs/reference/openapi.yaml"
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
WELL = {
    # A result is kept for a minute: none may be of a check that came late.
    "DOCKERFLOW_CHECK_TIMEOUT": 10,
    "DOCKERFLOW_ERROR_ENDPOINT": True,
    "DOCKERFLOW_HEARTBEAT_DETAILS": "always",
    "DOCKERFLOW_HEARTBEAT_MAX_AGE": 60,
    "ROOT_URLCONF": "tests.torture.once.urls",
}
FAILING = [f"tests.project.checks.{name}" for name in ("warning", "error", "raising", "ok")]
ILL = {
    **WELL,
    "DOCKERFLOW_CHECKS": FAILING,
    "DOCKERFLOW_PROBES": dict.fromkeys(("liveness", "readiness", "startup"), FAILING),
}
# Without the middleware the views answer.
VIEWS = {**WELL, "MIDDLEWARE": []}
CASES = {"well": WELL, "ill": ILL, "views alone": VIEWS}
BOUNDED = [("serve-wsgi", "well"), ("serve-asgi", "ill")]
FULL = [(kind, case) for kind in ("serve-wsgi", "serve-asgi", "gunicorn") for case in CASES]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "case" in metafunc.fixturenames:
        cases = FULL if size_of(metafunc.config) == "full" else BOUNDED
        metafunc.parametrize(("kind", "case"), cases)


def test_description() -> None:
    """It is OpenAPI."""
    if find_spec("openapi_spec_validator") is None:
        missing("openapi-spec-validator is not installed")
    from openapi_spec_validator import validate

    validate(yaml.safe_load(DESCRIPTION.read_text("utf-8")))


def test_endpoints(
    served: Serve, project: Project, sized: Sized, figures: Figures, kind: str, case: str
) -> None:
    """Status, type, headers and body are as described, for every method; nothing else is 5xx."""
    (project.folder / "version.json").write_text("[]" if case == "ill" else '{"version": "1"}')
    project = project.with_settings(**CASES[case]).with_environ(PROJECT_LOGGING="1")
    instance = served(project=project, kind=kind, wait=case != "ill")
    instance.wait_for_line(r"Worker 1 \(pid \d+\) serves", timeout=30)
    asked = {
        name: ask(instance, name, sized(4, 150), may_fail=case == "ill")
        for name in ("application", "probe port")
    }
    for name, examples in asked.items():
        figures.note("Fuzz", f"{kind}, {case}, {name}", requests_of_schemathesis=examples)
    lines = [line for line in instance.lines("stdout") if line]
    assert all(isinstance(json.loads(line), dict) for line in lines)


def ask(instance: Served, port: str, examples: int, *, may_fail: bool) -> int:
    """Run schemathesis against a port; return how many requests it has made."""
    is_probe_port = port == "probe port"
    address = instance.probe_address if is_probe_port else instance.address
    folder = instance.project.folder
    report = folder / "report.json"
    argv = [
        *(need_beside_python("schemathesis"), "--config-file", CONFIGURATION, "run", DESCRIPTION),
        *("--url", f"http://{LOOPBACK}:{address[1]}", "--max-examples", str(examples)),
        *("--report-json-path", report),
        *(["--include-tag", "both"] if is_probe_port else []),
        *(["--exclude-checks", "not_a_server_error"] if may_fail else []),
    ]
    done = subprocess.run(
        argv, cwd=folder, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(report.read_text())
    assert told["operations"]["tested"] == told["operations"]["total"] or is_probe_port
    return told["test_cases"]["generated"]
