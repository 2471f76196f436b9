"""Thousands of probes at once are all answered, and reach no service behind the checks."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import pytest

from dockerflow_django.conf import conf
from tests.harness.http import Address
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.figures import Figures
from tests.torture.storm.ordinary import Ordinary

PROOF = "Storm"
CHECKS = ("ok", "ok_async", "slow")
PATHS = {
    "probe port": [
        "/__heartbeat__/readiness",
        "/__heartbeat__/liveness",
        "/__heartbeat__/startup",
        "/__lbheartbeat__",
    ]
}
PATHS["application's port"] = ["/__heartbeat__", *PATHS["probe port"]]
# As few as a 99th percentile can do with.
ORDINARY = 100
SECONDS = 300.0
CHECK_TIMEOUT = 10.0


@pytest.fixture
def checked(project: Project) -> Project:
    """Give the project checks that count their runs, in every probe but liveness."""
    checks = [f"tests.project.checks.{name}" for name in CHECKS]
    return project.with_settings(
        DOCKERFLOW_CHECKS=checks,
        # A deadline is another proof's matter: here it would measure how fast the machine is.
        DOCKERFLOW_CHECK_TIMEOUT=CHECK_TIMEOUT,
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
        DOCKERFLOW_PROBES={"readiness": checks, "startup": checks},
    )


@pytest.mark.alone
@pytest.mark.parametrize("port", PATHS)
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_storm(
    served: Callable[..., Served],
    checked: Project,
    sized: Callable[[tuple[int, int], tuple[int, int]], tuple[int, int]],
    figures: Figures,
    kind: str,
    port: str,
) -> None:
    """Every probe is answered well, and no check runs more often than its results may be reused."""
    instance = served(kind=kind, project=checked)
    wait_until(lambda: instance.probe("readiness").status == 200, what="the worker is ready")
    address = instance.address if port == "application's port" else instance.probe_address
    total, at_once = sized((1_000, 100), (10_000, 500))

    # The time is taken around both counts.
    began, runs_before = time.monotonic(), runs(checked)
    with Ordinary(instance.address, ORDINARY) as beside:
        found = storm(address, total, at_once, PATHS[port])
    ran = [after - before for after, before in zip(runs(checked), runs_before, strict=True)]
    most = (time.monotonic() - began) / conf.DOCKERFLOW_HEARTBEAT_MAX_AGE + 1
    with Ordinary(instance.address, len(beside.answers)) as without:
        """The same load, and nothing else."""

    ratio = beside.percentile(0.99) / without.percentile(0.99)
    figures.note(
        PROOF,
        f"{kind}, {port}",
        probes=total,
        at_once=at_once,
        errors=total - found["statuses"].get("200", 0),
        probes_a_second=f"{total / found['seconds']:.0f}",
        slowest_answer=f"{found['slowest']:.2f} s",
        runs_of_each_check=f"{max(ran)} in {found['seconds']:.1f} s",
        ordinary_requests=len(beside.answers),
        ordinary_99th_percentile=f"{ratio:.1f} times that without the storm",
    )
    assert found["statuses"] == {"200": total}, found["wrong"]
    assert max(ran) <= most
    assert {answer.status for answer in beside.answers} == {200}


def storm(address: Address, total: int, at_once: int, paths: list[str]) -> dict[str, Any]:
    """Return what came of so many probes: statuses, the slowest answer, how long all took."""
    module = "tests.torture.storm.probing"
    numbers = [address[0], str(address[1]), str(total), str(at_once)]
    done = subprocess.run(
        [sys.executable, "-m", module, *numbers, *paths],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def runs(project: Project) -> list[int]:
    """Return how often each check has run."""
    return [project.count(f"{name}.runs") for name in CHECKS]
