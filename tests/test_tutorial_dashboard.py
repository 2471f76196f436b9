"""The tutorial from an empty folder to a dashboard is followed, where it needs no network."""

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.harness.programs import find_program
from tests.harness.project import ROOT

TUTORIAL = ROOT / "docs" / "tutorial" / "dashboard.rst"
BLOCK = re.compile(r"\.\. code-block:: (\w+)\n\n((?:    .*\n|\n)+)")
LOOK = """
import django, json
django.setup()
from django.test import Client
client = Client(SERVER_NAME="127.0.0.1")
page = client.get("/__heartbeat__", headers={"accept": "text/html"})
metrics = client.get("/__metrics__")
print(json.dumps([page.status_code, page.content.decode(), metrics.content.decode()]))
"""


def blocks(kind: str) -> list[str]:
    """Return every code block of that kind."""
    found = BLOCK.findall(TUTORIAL.read_text())
    return [textwrap.dedent(text).strip() for language, text in found if language == kind]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Follow the tutorial until the project has health and metrics."""
    folder = tmp_path_factory.mktemp("shop")
    run(folder, "-m", "django", "startproject", "shop", ".")
    settings, urls = blocks("python")
    path = folder / "shop" / "settings.py"
    path.write_text(f"{path.read_text()}\n{settings}\n")
    (folder / "shop" / "urls.py").write_text(urls)
    (folder / "prometheus.yml").write_text(blocks("yaml")[0])
    run(folder, "manage.py", "migrate")
    for name in ("dashboard", "rules"):
        kind = {"dashboard": "json", "rules": "yaml"}[name]
        (folder / f"{name}.{kind}").write_text(run(folder, "manage.py", "dockerflow", f"--{name}"))
    return folder


def run(folder: Path, *arguments: str) -> str:
    python_path = os.pathsep.join([str(folder), str(ROOT / "src")])
    env = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "shop.settings",
        "DOCKERFLOW_CHECK_TIMEOUT": "30",
        "PYTHONPATH": python_path,
    }
    if "startproject" in arguments:
        del env["DJANGO_SETTINGS_MODULE"]
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.long
def test_the_browser_gets_a_page_and_prometheus_its_numbers(shop: Path):
    """The heartbeat passes, and the line that the tutorial shows is there."""
    status, page, metrics = json.loads(run(shop, "-c", LOOK))
    assert status == 200
    assert "<title>All 2 checks pass" in page
    assert blocks("text") == ['dockerflow_check_status{check="check_database_connected"} 0.0']
    assert blocks("text")[0] in metrics.splitlines()


@pytest.mark.long
def test_the_commands_are_there(shop: Path):
    """Every `manage.py dockerflow` of the tutorial prints what it should."""
    asked = [
        line for text in blocks("console") for line in text.splitlines() if "dockerflow" in line
    ]
    assert len(asked) == 4
    assert "/__metrics__" in run(shop, "manage.py", "dockerflow")
    assert json.loads((shop / "dashboard.json").read_text())["title"] == "Dockerflow"


@pytest.mark.long
def test_prometheus_reads_what_was_written(shop: Path):
    """The configuration and the rules beside it are valid."""
    done = subprocess.run(
        [find_program("promtool"), "check", "config", "prometheus.yml"],
        cwd=shop,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "13 rules found" in done.stdout
