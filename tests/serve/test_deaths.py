"""Workers that die are replaced while the others serve on; one that dies for ever ends it all."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from dockerflow_django.serve.deaths import DEATHS, SECONDS, Deaths, exit_in_words
from dockerflow_django.serve.server import CUTTING, Server
from dockerflow_django.serve.stop import StopRequests
from dockerflow_django.supervisor.container import Container
from tests.harness.load import Load
from tests.harness.ports import LOOPBACK, Port
from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.supervisor.test_answers import settings

Serve = Callable[..., Served]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (0, "exit status 0"),
        (3, "exit status 3"),
        (None, "exit status None"),
        (-signal.SIGKILL, "killed by SIGKILL"),
        (-(signal.SIGRTMIN + 1), f"killed by signal {signal.SIGRTMIN + 1}"),
    ],
)
def test_how_a_process_ended(code: int | None, words: str) -> None:
    """By its status, or by the signal that ended it, which may have no name."""
    assert exit_in_words(code) == words


def test_limit() -> None:
    """Five deaths of one place within a minute are too many; of several places they are not."""
    now = [0.0]
    deaths = Deaths(lambda: now[0])
    for place in range(10):
        assert deaths.note(place) == ""
    for _ in range(20):
        now[0] += SECONDS / (DEATHS - 1) + 1
        assert deaths.note(1) == ""
    for _ in range(DEATHS - 1):
        assert deaths.note(2) == ""
    assert deaths.note(2, "why") != ""


@pytest.mark.parametrize("other_serves", [False, True])
def test_end_beside_another(other_serves: bool) -> None:
    """A place that has died too often ends the server with its problem, after a drain for others.

    Nobody waits for a drain while nobody serves.
    """
    server: Any = Server("tests.project.wsgi:application")
    drains: list[bool] = []
    server._drain = lambda: drains.append(server.interrupt_signal)
    server._end_at_latest = lambda seconds: None  # it would end pytest
    server.stop_requests = stop = StopRequests()
    waiter = threading.Thread(target=server._await_stop, daemon=True)
    waiter.start()
    server.container = Container(settings())
    server.wrks = [SimpleNamespace(idx=0, known=server.container.pool.add(1))]
    server.wrks.append(SimpleNamespace(idx=1, known=server.container.pool.add(2)))
    server.wrks[1].known.serves = other_serves
    try:
        for _ in range(DEATHS):
            server._dead.append(server.wrks[0])
            server._note_dead()
        assert drains == ([False] if other_serves else [])
    finally:
        server.container.stop()
        server.wrks.clear()
        for _ in range(CUTTING):
            stop._writer.send(bytes([signal.SIGTERM]))
        waiter.join(10)
        stop._close()
    assert not waiter.is_alive()
    assert server.interrupt_signal
    assert server.problem == f"worker 1 ended {DEATHS} times within {SECONDS:g} s"


def threads_and_files(process: psutil.Process) -> tuple[int, int]:
    return process.num_threads(), process.num_fds()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_deaths_one_after_the_other(served: Serve, kind: str) -> None:
    """However workers die: no probe lies, the others serve on, and nothing stays behind.

    ``tests/torture/deaths`` has a hundred of them.
    """
    instance = served("--workers", "4", kind=kind)
    supervisor = psutil.Process(instance.pid)
    threads, files = threads_and_files(supervisor)
    for served_before, number in enumerate((signal.SIGKILL, signal.SIGSEGV, signal.SIGABRT), 4):
        killed = instance.workers()[0]
        psutil.Process(killed).send_signal(number)
        wait_until(lambda: killed not in instance.workers() and len(instance.workers()) == 4)  # noqa: B023
        assert instance.probe("liveness").status == 200
        assert instance.probe("readiness").status == 200
        assert instance.get("/plain/", timeout=20).status == 200
        # The first pid is the successor's if the kernel has begun with low ones again.
        wait_until(lambda: instance.births() == served_before + 1, timeout=30)  # noqa: B023

    def is_as_before() -> bool:
        now = threads_and_files(supervisor)
        return now[0] <= threads and now[1] <= files

    wait_until(is_as_before)
    assert not [c for c in supervisor.children() if c.status() == psutil.STATUS_ZOMBIE]
    assert instance.stop(timeout=30).code == 0


@pytest.mark.long
def test_requests_of_the_others_are_answered(served: Serve) -> None:
    """While one of two workers is replaced the other one's answers are complete."""
    instance = served("--workers", "2", kind="gunicorn")
    with Load(instance.address, per_second=20) as load:
        psutil.Process(instance.workers()[0]).kill()
        wait_until(lambda: instance.births() == 3, timeout=20)
    assert sum(load.lost.values()) <= 4  # at most what the dead worker's threads had in hand


@pytest.mark.long
def test_place_that_always_dies(served: Serve, project: Project) -> None:
    """A worker that ends at once, again and again, ends the container, with status 1."""
    with Receiver() as receiver:
        hooked = project.with_environ(DOCKERFLOW_WEBHOOK_URL=receiver.url)
        Path(project.folder, "dying.py").write_text(
            "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)\n"
        )
        dying = hooked.with_settings(WSGI_APPLICATION="dying.application")
        instance = served(project=dying, wait=False)
        assert instance.wait(60).code == 1
        assert "Not serving: worker 1 ended 5 times within 60 s" in str(instance.output)
        assert receiver.news()[-1] == ("startup", "failed")


@pytest.mark.long
def test_death_during_the_drain(served: Serve) -> None:
    """A worker that dies in a drain is replaced, its successor drains, and the exit is 0."""
    instance = served("--workers", "2", drain_seconds=60)
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    psutil.Process(instance.workers()[0]).kill()
    wait_until(lambda: instance.births() == 3, timeout=20)
    assert instance.probe("readiness").status == 503
    for _ in range(8):  # whichever worker it is
        assert instance.get("/__heartbeat__/readiness").status == 503
        assert instance.get("/plain/").headers["Connection"] == "close"
    assert instance.stop(timeout=20).code == 0


@pytest.mark.long
def test_stop_during_a_reload(served: Serve) -> None:
    """SIGTERM while workers are being replaced is obeyed at once."""
    instance = served("--workers", "3", drain_seconds=0)
    instance.send_signal(signal.SIGHUP)
    instance.wait_for_line("replacing the workers")
    ended = instance.stop(timeout=20)
    assert ended.code == 0
    assert ended.seconds < 10


@pytest.mark.long
def test_stop_while_a_successor_hangs(served: Serve, project: Project) -> None:
    """A successor that hangs while it is loaded, deaf to SIGTERM, holds up no exit."""
    (project.folder / "deaf.py").write_text(
        "import pathlib, signal, time\n"
        "if pathlib.Path('deaf').exists():\n"
        "    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    pathlib.Path('hangs').touch()\n"
        "    time.sleep(120)\n"
        "from tests.project.wsgi import application\n"
    )
    instance = served(
        project=project.with_settings(WSGI_APPLICATION="deaf.application"), drain_seconds=0
    )
    project.make("deaf")
    instance.send_signal(signal.SIGHUP)
    wait_until((project.folder / "hangs").exists)
    ended = instance.stop(timeout=30)
    assert ended.code == 0
    assert ended.seconds < 10  # less than the graceful timeout


@pytest.mark.long
def test_reload_fails_no_probe(served: Serve) -> None:
    """While SIGHUP replaces the workers, the probes pass on."""
    instance = served("--workers", "2")
    before = set(instance.workers())
    instance.send_signal(signal.SIGHUP)
    while before & set(instance.workers()):
        assert instance.probe("readiness").status == 200
        assert instance.probe("liveness").status == 200
    assert instance.get("/plain/").status == 200


def serving(project: Project, port: Port, reader: int, writer: int) -> "subprocess.Popen[bytes]":
    """Start `serve` with its log in a pipe, and return when it says that it serves."""
    argv = [sys.executable, "-m", "tests.project.manage", "serve", "--graceful-timeout", "2"]
    argv += ["--host", LOOPBACK, "--port", str(port.number)]
    env = project.with_environ(DOCKERFLOW_DRAIN_SECONDS="0").env()
    server = subprocess.Popen(argv, env=env, stdout=writer, stderr=subprocess.DEVNULL)
    os.set_blocking(reader, False)
    text = b""

    def says_so() -> bool:
        nonlocal text
        with contextlib.suppress(BlockingIOError):
            text += os.read(reader, 65536)
        return b" serves." in text

    wait_until(says_so, timeout=20)
    return server


@pytest.mark.long
@pytest.mark.parametrize("is_closed", [False, True])
def test_log_that_nobody_reads(project: Project, is_closed: bool) -> None:
    """A pipe of the log that is full, or closed, delays no exit and changes no status."""
    reader, writer = os.pipe()
    with Port() as port, serving(project, port, reader, writer) as server:
        if is_closed:
            os.close(reader)
        else:
            os.set_blocking(writer, False)
            with contextlib.suppress(BlockingIOError):
                for _ in range(1000):
                    os.write(writer, b"x" * 4096)
            os.set_blocking(writer, True)
        began = time.monotonic()
        server.send_signal(signal.SIGTERM)
        try:
            assert server.wait(20) == 0
        finally:
            server.kill()
        assert time.monotonic() - began < 2 + 1 + 5  # five for a busy machine
    os.close(writer)
    if not is_closed:
        os.close(reader)
