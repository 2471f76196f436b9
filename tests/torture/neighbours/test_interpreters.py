"""The interpreter and what changes it: gevent, no assertions, development mode, no lock."""

import re
import sys
from collections.abc import Callable

import pytest

from tests.harness import http
from tests.harness.programs import missing
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.servers.heartbeats import LONGEST_SECONDS
from tests.torture.neighbours.asking import assert_ends, assert_serves

Serve = Callable[..., Served]
KINDS = ["serve-wsgi", "serve-asgi", "gunicorn", "gunicorn-asgi"]


@pytest.fixture
def project(project: Project) -> Project:
    return project.with_environ(PROJECT_LOGGING="1")


def test_gevent(served: Serve, project: Project) -> None:
    """Under gevent's worker requests, probes, summaries and the exit are as under threads."""
    instance = served(project=project, kind="gunicorn-gevent")
    assert_serves(instance)
    assert_ends(instance)


def test_gevent_and_a_check_that_hangs(served: Serve, project: Project) -> None:
    """A check that waits is one run under gevent too, and nobody waits longer than its timeout."""
    checks = [f"tests.project.checks.{name}" for name in ("hung", "ok")]
    project = project.with_settings(
        DOCKERFLOW_CHECK_TIMEOUT=0.8,
        DOCKERFLOW_CHECKS=checks,
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
    )
    instance = served(project=project, kind="gunicorn-gevent")
    heartbeats = http.concurrently(lambda: instance.get("/__heartbeat__"), total=50, at_once=20)
    assert {answer.status for answer in heartbeats} == {500}
    assert max(answer.seconds for answer in heartbeats) < LONGEST_SECONDS
    assert {answer.json()["checks"]["hung"] for answer in heartbeats} == {"error"}
    # On a busy machine that one may come late, too, and runs again.
    wait_until(lambda: instance.get("/__heartbeat__").json()["checks"]["ok"] == "ok")
    assert project.count("hung.runs") == 1
    assert instance.get("/plain/").status == 200
    assert_ends(instance)


@pytest.mark.parametrize("kind", KINDS)
def test_without_assertions(served: Serve, project: Project, kind: str) -> None:
    """Under ``python -OO`` nothing is missing: no promise stands in an assertion or a docstring."""
    instance = served(project=project.with_environ(PYTHONOPTIMIZE="2"), kind=kind)
    assert_serves(instance)
    assert_ends(instance)


@pytest.mark.parametrize("kind", KINDS)
def test_development_mode(served: Serve, project: Project, kind: str) -> None:
    """Under ``python -X dev`` no warning and no unraisable error comes from this app."""
    instance = served(project=project.with_environ(PYTHONDEVMODE="1"), kind=kind)
    assert_serves(instance)
    assert_ends(instance)
    said = "\n".join(instance.lines("stderr"))
    assert not re.search(r"dockerflow_django/\S+:\d+: \w+Warning", said), said
    assert "Exception ignored" not in said
    assert "ResourceWarning" not in said, said


def test_free_threads(served: Serve, project: Project) -> None:  # pragma: no cover - rarely there
    """On a Python without the global lock all is as on any other; the suite must run there."""
    if getattr(sys, "_is_gil_enabled", lambda: True)():
        missing("this Python is not free-threaded", everywhere=False)
    instance = served("--", "--blocking-threads", "8", project=project)
    assert_serves(instance, requests=200)
    assert_ends(instance)
