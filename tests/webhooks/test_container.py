"""Webhooks of a container: its startup, and every change of a probe's outcome, each once."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import psutil
import pytest

from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]
KEYS = {"info", "type", "status", "timestamp", "podname", "version", "traceback"}


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as receiver:
        yield receiver


@pytest.fixture
def hooked(project: Project, receiver: Receiver) -> Project:
    """Give the project with that receiver, and a version."""
    (project.folder / "version.json").write_text('{"version": "1.2.3"}')
    return project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_one_container_says_it_once(
    served: Serve, hooked: Project, receiver: Receiver, kind: str
) -> None:
    """Two workers: one message for the startup, one for a change however often it is asked (H4)."""
    # A check that the freeze interrupts would be late when it goes on, and rightly told of.
    impatient = hooked.with_settings(
        DOCKERFLOW_CHECK_TIMEOUT=30, DOCKERFLOW_WORKER_SILENT_SECONDS=5
    )
    instance = served("--workers", "2", kind=kind, project=impatient, drain_seconds=3)
    wait_until(lambda: receiver.news() == [("startup", "succeeded")])
    assert set(receiver.posts[0].json()) == KEYS
    assert receiver.posts[0].json()["version"] == "1.2.3"
    assert receiver.posts[0].json()["traceback"] is None
    for _ in range(3):
        assert instance.probe("readiness").status == 200
        assert instance.get("/__heartbeat__/readiness").status == 200
    frozen = psutil.Process(instance.workers()[0])
    frozen.send_signal(SIGSTOP)
    try:
        wait_until(lambda: len(receiver.posts) == 3, timeout=30)
    finally:
        frozen.send_signal(SIGCONT)
    wait_until(lambda: len(receiver.posts) == 5)
    assert receiver.news()[1:3] == [("liveness", "failed"), ("readiness", "failed")]
    assert receiver.news()[3:] == [("liveness", "succeeded"), ("readiness", "succeeded")]
    assert "does not answer" in receiver.posts[1].json()["traceback"]
    instance.send_signal(15)
    wait_until(lambda: instance.probe("readiness").status == 503)
    instance.wait()
    told = [post.json()["traceback"] for post in receiver.posts[5:]]
    assert receiver.news()[5:] == [("readiness", "warning")], told


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_change_that_a_worker_saw_itself(
    served: Serve, hooked: Project, receiver: Receiver, kind: str
) -> None:
    """A probe that is asked on the application's port alone is told of too."""
    marker = hooked.folder / "draining"
    limited = hooked.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))
    instance = served("--workers", "2", kind=kind, project=limited)
    wait_until(lambda: receiver.news() == [("startup", "succeeded")])
    leave_marker(limited)
    wait_until(lambda: instance.get("/__heartbeat__/readiness").status == 503)
    wait_until(lambda: len(receiver.posts) == 2)
    assert receiver.news()[1] == ("readiness", "warning")
    assert "dockerflow.health.I003" in receiver.posts[1].json()["traceback"]


def test_failed_start(served: Serve, hooked: Project, receiver: Receiver) -> None:
    """A start that fails is told of before the process ends with 1 (H7)."""
    instance = served("--command", "sleep 0 --fail", project=hooked, wait=False)
    assert instance.wait().code == 1
    assert receiver.news() == [("startup", "failed")]
    assert "'sleep 0 --fail' failed" in receiver.posts[0].json()["traceback"]


@pytest.mark.long
def test_own_process_without_a_parent(served: Serve, hooked: Project, receiver: Receiver) -> None:
    """Under Uvicorn the process that serves sends for itself."""
    marker = hooked.folder / "draining"
    single = hooked.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))
    instance = served(kind="uvicorn", project=single)
    wait_until(lambda: instance.get("/__heartbeat__/readiness").status == 200)
    wait_until(lambda: receiver.news() == [("startup", "succeeded")])
    leave_marker(single)
    wait_until(lambda: instance.get("/__heartbeat__/readiness").status == 503)
    wait_until(lambda: len(receiver.posts) == 2)
    assert receiver.news()[1] == ("readiness", "warning")


@pytest.mark.long
def test_receiver_that_is_down(served: Serve, project: Project) -> None:
    """A receiver that is down delays neither the start, nor the probes, nor the end by much."""
    gone = project.with_environ(DOCKERFLOW_WEBHOOK_URL="http://u:s3cret@127.0.0.1:1/hook")
    instance = served(project=gone, drain_seconds=0)
    assert instance.probe("readiness").status == 200
    ended = instance.stop()
    assert ended.code == 0
    assert ended.seconds < 5
    assert "s3cret" not in str(instance.output)


@pytest.mark.long
def test_command_sends_nothing(hooked: Project, receiver: Receiver) -> None:
    """A management command that runs the checks sends nothing."""
    patient = hooked.with_settings(DOCKERFLOW_CHECK_TIMEOUT=30)
    assert patient.manage("heartbeat", "--probe", "readiness").returncode == 0
    assert receiver.posts == []


def leave_marker(project: Project) -> None:
    argv = [sys.executable, "-m", "dockerflow_django.drain"]
    subprocess.run(argv, env=project.env(), check=True, capture_output=True)
    assert Path(project.environ["DOCKERFLOW_DRAIN_PATH"]).exists()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_check_with_much_to_say(
    served: Serve, hooked: Project, receiver: Receiver, kind: str
) -> None:
    """A probe that fails with thousands of messages fails, and every one of them is told."""
    checks = {"readiness": ["tests.project.checks.many_errors"]}
    checked = hooked.with_settings(DOCKERFLOW_PROBES=checks)
    instance = served(kind=kind, project=checked)
    wait_until(lambda: instance.probe("readiness").status == 200)
    checked.make("errors")
    wait_until(lambda: instance.probe("readiness").status == 503)
    wait_until(lambda: receiver.news()[-1:] == [("readiness", "failed")])
    assert receiver.posts[-1].json()["traceback"].count("project.E002") == 2000
