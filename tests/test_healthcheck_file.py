"""The health check of a background worker: by the file that it writes."""

import os
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGCONT, SIGKILL, SIGSTOP

import pytest

from dockerflow_django import healthcheck
from dockerflow_django.tasks.probe_file import ProbeFile
from tests.harness.waiting import wait_until

# Writes like a worker does, and says on standard output that it has begun.
WORKER = """
import sys, time
from dockerflow_django.tasks.probe_file import ProbeFile
file = ProbeFile(sys.argv[1])
file._life["valid_for"] = 3.0
while True:
    file.write({"liveness": "passed", "readiness": "failed", "startup": "passed"})
    print("written", flush=True)
    time.sleep(0.05)
"""


@pytest.fixture
def path(tmp_path: Path) -> str:
    ProbeFile(str(tmp_path / "probes")).write({"liveness": "passed", "readiness": "failed"})
    return str(tmp_path / "probes")


def test_the_command(path: str) -> None:
    """Run as an exec probe, it says who stated what, and when, and needs no Django."""
    code = (
        "import runpy, sys; sys.argv[0] = 'healthcheck'\n"
        "try: runpy.run_module('dockerflow_django.healthcheck', run_name='__main__')\n"
        "finally: assert 'django' not in sys.modules and 'typing' not in sys.modules"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code, "--file", path],
        env={**os.environ, "PYTHONPATH": str(Path(healthcheck.__file__).parents[1])},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith(f"{path}: liveness passed, stated ")


def test_a_probe_that_failed(path: str, capsys: pytest.CaptureFixture[str]) -> None:
    """``--probe`` names the probe, and one that failed is exit 1."""
    assert healthcheck.main(["--file", path, "--probe", "readiness"]) == 1
    assert f"healthcheck: {path}: readiness failed, stated " in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (["--file", "/x", "http://127.0.0.1/"], "exclude each other"),
        (["--file", "/x", "--probe", "health"], "'health' is none of liveness, readiness, startup"),
        (["--probe", "readiness"], "goes with --file"),
        (["--file="], "goes with --file"),
        (["--file", "/nowhere"], "/nowhere: there is no such file"),
    ],
)
def test_wrong_arguments(
    arguments: list[str], problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """What cannot be meant is one line and exit 1."""
    assert healthcheck.main(arguments) == 1
    shown = capsys.readouterr().err
    assert problem in shown
    assert shown.count("\n") == 1


def test_a_frozen_and_a_dead_worker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A worker that runs passes; frozen it fails after its stated time, and dead at once."""
    path = str(tmp_path / "probes")
    command = [sys.executable, "-c", WORKER, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as worker:
        assert worker.stdout
        worker.stdout.readline()
        assert healthcheck.main(["--file", path]) == 0
        worker.send_signal(SIGSTOP)
        wait_until(lambda: healthcheck.main(["--file", path]) == 1)
        assert "stands still" in capsys.readouterr().err
        worker.send_signal(SIGCONT)
        wait_until(lambda: healthcheck.main(["--file", path]) == 0)
        capsys.readouterr()
        begin = time.monotonic()
        worker.send_signal(SIGKILL)
        wait_until(lambda: healthcheck.main(["--file", path]) == 1)
        assert "has ended" in capsys.readouterr().err
        assert time.monotonic() - begin < 10
