"""The probes of a loop of the project's own."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import lifecycle
from dockerflow_django.tasks import ProbesError, serve_probes
from tests.harness.processes import Process
from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.waiting import wait_until
from tests.tasks.probed import outcomes, status

LOOP = """
import signal, sys, time
import django
signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whatever measures this process has installed
django.setup()
from dockerflow_django.tasks import serve_probes

def turn():
    print("turned", flush=True)
    time.sleep(0.05)

with serve_probes() as probes:
    if "watching" in sys.argv:
        while not probes.is_stopping:
            probes.alive()
            turn()
        print("finished", flush=True)
    else:
        while True:
            probes.alive()
            turn()
"""


pytestmark = pytest.mark.usefixtures("fresh")


def check_stock(app_configs: object, **kwargs: object) -> list[CheckMessage]:
    """Be ready as the project says."""
    return list(stock)


stock: list[CheckMessage] = []


def test_alive(path: Path) -> None:
    """Liveness passes as long as the loop says that it turns, from whatever thread."""
    with serve_probes(stall_seconds=0.5) as probes:
        wait_until(lambda: outcomes(path)["liveness"] == "failed")
        done = threading.Event()

        def turn() -> None:
            while not done.wait(0.05):
                probes.alive()

        turning = threading.Thread(target=turn)
        turning.start()
        wait_until(lambda: set(outcomes(path).values()) == {"passed"})
        done.set()
        turning.join()
    assert not path.exists()


def test_stall_setting(path: Path, settings: Any) -> None:
    """Without an argument the setting says how long the loop may stand still."""
    settings.DOCKERFLOW_WORKER_STALL_SECONDS = 0.1
    with serve_probes():
        wait_until(lambda: outcomes(path)["liveness"] == "failed")


def test_ready(address: tuple[str, int]) -> None:
    """The checks in ``ready`` belong to readiness, by path too, and not to liveness."""
    stock[:] = [checks.Error("There is no stock.")]
    with serve_probes(ready=[f"{__name__}.check_stock"]) as probes:
        wait_until(lambda: status(address, "liveness") == 200)
        assert (status(address, "readiness"), status(address, "startup")) == (503, 503)
        stock.clear()
        wait_until(lambda: status(address, "readiness") == 200)
        assert probes.is_stopping is False


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"stall_seconds": 0}, "stall_seconds is 0, but must be above 0"),
        ({"ready": ["check"]}, "ready must be a list of checks; item 0 is 'check'"),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], sentence: str) -> None:
    """A wrong argument is said to be that before anything is opened."""
    with pytest.raises(ValueError, match=sentence), serve_probes(**arguments):
        raise AssertionError("the block is not entered")


def test_wrong_setting(path: Path, settings: Any) -> None:
    """A wrong setting is told before anything is opened."""
    settings.DOCKERFLOW_WORKER_STALL_SECONDS = "soon"
    sentence = "the settings are wrong, see above"
    with pytest.raises(ProbesError, match=sentence), serve_probes():
        raise AssertionError("the block is not entered")
    assert not path.exists()


def test_a_failed_start_is_told(address: tuple[str, int], settings: Any) -> None:
    """A webhook tells that the probes will not be answered, but not of a second block's."""
    with Receiver() as receiver, socket.create_server(address):
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        for has_started in (False, True):
            lifecycle.process.has_started = has_started
            with pytest.raises(ProbesError, match="Address already in use"), serve_probes():
                raise AssertionError("the block is not entered")
            assert receiver.news() == [("startup", "failed")]
    assert "Address already in use" in receiver.posts[0].body.decode()


def test_another_thread_installs_no_handler(path: Path) -> None:
    """Only the main thread may install a handler; the probes work in any."""
    before = signal.getsignal(signal.SIGTERM)

    def serve() -> None:
        with serve_probes():
            assert signal.getsignal(signal.SIGTERM) == before

    serving = threading.Thread(target=serve)
    serving.start()
    serving.join()
    assert signal.getsignal(signal.SIGTERM) == before


def test_a_handler_of_the_project_is_called(path: Path) -> None:
    """A handler that was there before is called, and is there again afterwards."""
    numbers: list[int] = []

    def handler(number: int, frame: object) -> None:
        numbers.append(number)

    before = signal.signal(signal.SIGTERM, handler)
    try:
        with serve_probes():
            wait_until(lambda: outcomes(path)["readiness"] == "passed")
            os.kill(os.getpid(), signal.SIGTERM)
            assert numbers == [signal.SIGTERM]
            assert lifecycle.process.is_draining
            wait_until(lambda: outcomes(path)["readiness"] == "failed")
        assert signal.getsignal(signal.SIGTERM) is handler
    finally:
        signal.signal(signal.SIGTERM, before)


@pytest.mark.parametrize(
    ("argument", "code", "last"), [("watching", 0, "finished"), ("endless", 143, "turned")]
)
def test_signal(project: Project, argument: str, code: int, last: str) -> None:
    """SIGTERM ends a loop that watches for it at its next turn, and any other as ever."""
    path = project.folder / "probes"
    env = project.with_environ(DOCKERFLOW_PROBE_FILE=str(path)).env()
    with Process([sys.executable, "-c", LOOP, argument], env=env, cwd=project.folder) as process:
        process.wait_for_line("turned", timeout=30)
        wait_until(lambda: outcomes(path)["readiness"] == "passed")
        assert process.stop(signal.SIGTERM).code == code
        assert process.lines("stdout")[-1] == last
    assert not path.exists()


@pytest.fixture
def default_signal() -> Iterator[None]:
    """Have SIGTERM end this process if nobody handles it, as in a process of a project."""
    before = signal.signal(signal.SIGTERM, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("default_signal")
def test_a_loop_that_never_looks_is_ended() -> None:
    """The first SIGTERM ends a loop that has not asked whether it should stop."""
    with serve_probes():
        assert callable(signal.getsignal(signal.SIGTERM))
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


@pytest.mark.usefixtures("default_signal")
def test_a_loop_that_looks_is_ended_by_the_second() -> None:
    """The first SIGTERM leaves the end to a loop that looks, the second does not wait for it."""
    with serve_probes() as probes:
        assert not probes.is_stopping
        assert callable(signal.getsignal(signal.SIGTERM))
        signal.raise_signal(signal.SIGTERM)
        assert probes.is_stopping
        assert lifecycle.process.is_draining
        with pytest.raises(SystemExit) as ended:
            signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 128 + signal.SIGTERM


def test_a_process_that_ignores_the_signal(default_signal: None) -> None:
    """SIGTERM drains a process that has ignored it before, and does not end it."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    with serve_probes():
        for _ in range(2):
            signal.raise_signal(signal.SIGTERM)
        assert lifecycle.process.is_draining
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_IGN


def test_importing_needs_no_settings() -> None:
    """``dockerflow_django.tasks`` may be imported before Django is set up, and without a client."""
    code = (
        "import sys; sys.modules['kombu'] = sys.modules['celery'] = None\n"
        "from dockerflow_django.tasks import Reject, Requeue, serve_probes"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
