"""What goes wrong before serving: one clear line, exit 1, and nothing left behind."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.harness.ports import LOOPBACK
from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until

Serve = Callable[..., Served]


def last_words(instance: Served, timeout: float = 15) -> str:
    """Return the line that says why, once the process has ended with 1 and left no other."""
    assert instance.wait(timeout).code == 1
    assert instance.family() == []
    lines = [line for line in instance.lines() if "Not serving" in line or "Error" in line]
    assert "Traceback" not in str(instance.output)
    return lines[-1]


def test_failing_command(served: Serve, project: Project) -> None:
    """A command that fails ends `serve` with 1, and no later command is run (H7)."""
    instance = served("--command", "sleep 0 --fail", "--command", "sleep 0 --bad", wait=False)
    assert "the command 'sleep 0 --fail' failed: exit status 1" in last_words(instance)
    assert "as told" in str(instance.output)
    assert "--bad" not in str(instance.output)


@pytest.mark.long
@pytest.mark.parametrize("command", ["no_such_command", "sleep nonsense"])
def test_wrong_command(served: Serve, command: str) -> None:
    """A command that does not exist, or is called wrongly, ends `serve` with 1 (H7, H12)."""
    instance = served("--command", command, wait=False)
    assert f"the command {command!r} failed" in last_words(instance)


@pytest.mark.long
def test_commands_run_in_order(served: Serve, project: Project) -> None:
    """Commands run one after the other, with their arguments, before the first request (H12)."""
    instance = served("--command", "sleep 0.1", "--command", "check --tag models")
    lines = [line for line in instance.lines() if "Running the command" in line]
    assert [line.partition("command: ")[2] for line in lines] == ["sleep 0.1", "check --tag models"]


@pytest.mark.long
@pytest.mark.parametrize("which", ["port", "probe_port"])
def test_taken_port(served: Serve, which: str) -> None:
    """A taken port is said in one line, and shared with nobody."""
    first = served()
    taken = getattr(first, which).number
    option = "--port" if which == "port" else "--probe-port"
    second = served(option, str(taken), wait=False)
    assert f"{LOOPBACK}:{taken}: Address already in use" in last_words(second)
    assert first.get("/plain/").status == 200


def test_socket_of_a_killed_instance(served: Serve, tmp_path: Path) -> None:
    """The file of a socket that a killed instance left does not keep the next one from serving."""
    path = tmp_path / "app.sock"
    for _ in range(2):
        instance = served("--", "--uds", str(path), wait=False)
        instance.wait_for_line(f"Serving .* at unix:{path}", timeout=20)
        instance.kill()
        assert path.exists()


def test_taken_metrics_port(served: Serve, project: Project) -> None:
    """A taken port of Granian's metrics, noticed late, ends the workers, and is told of."""
    with socket.create_server((LOOPBACK, 0)) as taken, Receiver() as receiver:
        hooked = project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)
        options = ["--metrics", "--metrics-port", str(taken.getsockname()[1])]
        instance = served("--", *options, project=hooked, wait=False)
        assert "the server cannot be started: Address already in use" in last_words(instance)
        assert receiver.news() == [("startup", "failed")]


def test_what_granian_refuses_late(served: Serve, project: Project) -> None:
    """What Granian refuses when it is about to serve is told of, too."""
    with Receiver() as receiver:
        hooked = project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)
        options = ["--asgi", "--", "--blocking-threads", "2"]
        instance = served(*options, project=hooked, wait=False)
        assert "Not serving: blocking_threads" in last_words(instance)
        assert receiver.news() == [("startup", "failed")]


def test_folder_of_metrics_that_cannot_be(served: Serve, project: Project) -> None:
    """A folder of the metrics that cannot be made is told in one line."""
    (project.folder / "file").touch()
    folder = project.folder / "file" / "metrics"
    measured = project.with_environ(PROMETHEUS_MULTIPROC_DIR=str(folder))
    instance = served(project=measured, wait=False)
    said = f"Not serving: PROMETHEUS_MULTIPROC_DIR: Not a directory: {folder}"
    assert said in last_words(instance)


@pytest.mark.long
def test_missing_certificate(served: Serve, tmp_path: Path) -> None:
    """A certificate that is not there is said in one line (X4)."""
    missing = str(tmp_path / "missing.pem")
    instance = served("--", "--ssl-certificate", missing, "--ssl-keyfile", missing, wait=False)
    assert "missing.pem" in last_words(instance)


@pytest.mark.long
def test_bad_certificate(served: Serve, tmp_path: Path) -> None:
    """A certificate that is none is said in one line."""
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    instance = served("--", "--ssl-certificate", str(bad), "--ssl-keyfile", str(bad), wait=False)
    assert "Not serving" in last_words(instance)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--", "--no-such-option"], "No such option"),
        (["--", "--port", "70000"], "Not serving: --port 70000: a port is at most 65535"),
        (["--", "--metrics-port", "70000"], "--metrics-port 70000: a port is at most 65535"),
        (["--", "--interface", "rsgi"], "Django speaks wsgi and asgi"),
        (["--port", "70000"], "70000"),
        (["--workers", "0"], "'0'"),
        (["--wait", "nan"], "'nan'"),
        (["--graceful-timeout", "1801"], "--graceful-timeout"),
        (["--", "--workers-kill-timeout", "x"], "x"),
    ],
)
def test_wrong_options(served: Serve, options: list[str], said: str) -> None:
    """A wrong option, ours or Granian's, is said in one line."""
    instance = served(*options, wait=False)
    code = instance.wait(15).code
    assert code in {1, 2}  # argparse ends with 2, as with every management command
    assert said in str(instance.output)
    assert "Traceback" not in str(instance.output)


@pytest.mark.long
def test_database_that_never_comes(served: Serve, project: Project) -> None:
    """``--wait`` gives up in time, with 1 (H13)."""
    with socket.socket() as silent:
        silent.bind((LOOPBACK, 0))
        port = str(silent.getsockname()[1])
        database = {"ENGINE": "django.db.backends.postgresql", "HOST": LOOPBACK, "PORT": port}
        away = project.with_databases(default=database)
        instance = served("--wait", "2", project=away, wait=False)
        assert "the database: not there within 2 s" in last_words(instance)


@pytest.mark.long
def test_missing_migrations(served: Serve, project: Project, tmp_path: Path) -> None:
    """``--wait`` waits for every alias's migrations, after the commands, and gives up (H13)."""
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(tmp_path / "other")}
    two = project.with_databases(other=other)
    instance = served("--wait", "1", project=two, wait=False)
    assert "the migrations: not there within 1 s" in last_words(instance)
    migrating = served("--wait", "10", "--command", "migrate --database other -v 0", project=two)
    assert migrating.probe("readiness").status == 200


def test_application_that_does_not_load(served: Serve, project: Project) -> None:
    """An application that cannot be imported ends `serve` with 1 and its traceback."""
    broken = project.with_settings(WSGI_APPLICATION="tests.project.no_such.application")
    instance = served(project=broken, wait=False)
    assert instance.wait(15).code == 1
    assert "no_such" in str(instance.output)
    assert instance.family() == []


@pytest.mark.long
def test_marker_of_a_killed_instance(served: Serve, project: Project) -> None:
    """A drain marker that a killed instance left does not keep the next one unready."""
    marker = project.folder / "draining"
    draining = project.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))
    first = served(project=draining)
    argv = [sys.executable, "-m", "dockerflow_django.drain"]
    subprocess.run(argv, env=draining.env(), check=True, capture_output=True)
    wait_until(lambda: first.probe("readiness").status == 503)
    assert first.probe("liveness").status == 200
    first.kill()
    second = served(project=draining)
    assert second.probe("readiness").status == 200
    assert not marker.exists()
    marker.symlink_to("/etc/passwd")
    assert second.probe("readiness").status == 200
    marker.unlink()
    assert second.stop().code == 0
