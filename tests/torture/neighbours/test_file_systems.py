"""File systems that take nothing: read-only, or full."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.neighbours.asking import assert_ends, assert_serves
from tests.torture.neighbours.surroundings import read_only, small_disk

Serve = Callable[..., Served]
MANAGE = ["-m", "tests.project.manage"]


@pytest.fixture
def project(project: Project) -> Project:
    return project.with_environ(PROJECT_LOGGING="1")


@pytest.fixture
def measured(project: Project) -> Project:
    """Give the project with metrics of many processes."""
    folder = project.folder / "metrics"
    folder.mkdir()
    return project.with_environ(PROMETHEUS_MULTIPROC_DIR=str(folder))


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        ("serve-wsgi", ()),
        ("serve-asgi", ()),
        # Gunicorn itself wants a file for each worker; its documentation names this folder.
        ("gunicorn", ("--worker-tmp-dir", "/dev/shm")),
    ],
)
def test_read_only(served: Serve, measured: Project, kind: str, options: Sequence[str]) -> None:
    """It starts, serves and ends; of metrics that cannot be kept it speaks once a worker."""
    instance = served(*options, project=measured, kind=kind, before=read_only())
    assert_serves(instance)
    wait_until(lambda: told(instance), what="the lost metrics are told of")
    assert instance.probe("liveness").status == 200
    assert_ends(instance)
    assert len(told(instance)) == 1


def told(instance: Served) -> list[str]:
    """Return the lines that say that metrics are lost."""
    return [line for line in instance.lines() if "takes no more values" in line]


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        (["-m", "dockerflow_django.drain"], "cannot leave the marker at {path}: Read-only"),
        ([*MANAGE, "write_version"], "Read-only file system"),
        (
            [*MANAGE, "consume", "tests.project.messages.handle", "--queue", "orders"],
            "DOCKERFLOW_PROBE_FILE {path}: Read-only file system",
        ),
        (["-m", "dockerflow_django", "startproject", "shop"], "Read-only file system"),
    ],
)
def test_commands_that_write_explain_themselves(
    project: Project, command: Sequence[str], sentence: str
) -> None:
    """On a read-only file system they exit 1 with one line that says so."""
    path = project.folder / "drain"
    environ = {"DOCKERFLOW_DRAIN_PATH": str(path), "GIT_COMMIT": "0123456"}
    environ |= {"DOCKERFLOW_PROBE_FILE": str(path), "AMQP_URL": "amqp://127.0.0.1:9//"}
    done = run(project.with_environ(**environ), read_only(), command)
    assert done.returncode == 1, done
    assert sentence.format(path=path) in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "Traceback" not in done.stderr


def test_full_disk_under_the_drain_marker(project: Project) -> None:
    """The command says why and exits 1; nothing half-written is left to be obeyed."""
    folder = project.folder / "small"
    folder.mkdir()
    before = small_disk(folder, 16)
    # All but the marker's own page, which a file system gives only when it is written to.
    before[-2] = before[-2].replace(
        "exec ", f"dd if=/dev/zero of={folder}/fill 2>/dev/null || true\nexec "
    )
    script = '"$@"; echo "exit $?"; ls ' + str(folder)
    drain = ["sh", "-c", script, "sh", sys.executable, "-m", "dockerflow_django.drain"]
    path = folder / "drain"
    done = run(
        project.with_environ(DOCKERFLOW_DRAIN_PATH=str(path)), [*before, *drain], [], own=True
    )
    assert done.stdout.splitlines() == ["exit 1", "fill"]
    assert done.stderr == f"drain: cannot leave the marker at {path}: No space left on device\n"


@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_full_disk_under_the_metrics(served: Serve, measured: Project, kind: str) -> None:
    """Every request is answered by the worker that began; the log says once what is lost."""
    folder = Path(measured.environ["PROMETHEUS_MULTIPROC_DIR"])
    # Three kinds of gauges, counters and histograms: some find a page, some none.
    instance = served(project=measured, kind=kind, before=small_disk(folder, 12))
    (worker,) = instance.workers()
    assert_serves(instance)
    wait_until(lambda: told(instance), what="the lost metrics are told of")
    assert_serves(instance)
    assert instance.probe("readiness").status == 200
    assert instance.workers() == [worker]
    assert_ends(instance)
    assert len(told(instance)) == 1


def run(
    project: Project, before: Sequence[str], command: Sequence[str], *, own: bool = False
) -> "subprocess.CompletedProcess[str]":
    """Run Python with the command, or with `own` nothing but what `before` says, to its end."""
    return subprocess.run(
        [*before, *([] if own else [sys.executable]), *command],
        cwd=project.folder,
        env=project.env(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
