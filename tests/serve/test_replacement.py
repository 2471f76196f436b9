"""Workers that are replaced though they live, and those that are not replaced."""

import re
import signal
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from dockerflow_django.serve.deaths import DEATHS
from dockerflow_django.serve.options import build_server
from dockerflow_django.serve.process import Process
from dockerflow_django.serve.server import Server
from dockerflow_django.serve.starting import WorkerStartError, start_method
from dockerflow_django.supervisor.container import Container
from tests.harness.descriptors import no_descriptor_left
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.serve.building import build
from tests.supervisor.test_answers import settings

Serve = Callable[..., Served]

BREAKING = """
import pathlib
if pathlib.Path("broken").exists():
    raise RuntimeError("no brain")
from tests.project.wsgi import application
from tests.serve.building import build
"""


@pytest.mark.long
def test_worker_that_is_too_large(served: Serve, project: Project) -> None:
    """With ``-- --workers-max-rss`` a worker beyond it is replaced, and readiness passes on.

    It answers what it has begun; a connection that waits for its request is closed.
    """
    # The first look comes when the instance is up and both connections have their worker.
    limits = ["--workers-max-rss", "1", "--rss-sample-interval", "5", "--rss-samples", "1"]
    instance = served("--", *limits, drain_seconds=0)
    with instance.connect(timeout=30) as begun, instance.connect(timeout=30) as waiting:
        served_by = {each.request(path="/where/").json()["pid"] for each in (begun, waiting)}
        begun.send(path="/blocked/")
        while instance.births() < 2:
            assert instance.probe("readiness").status == 200
        with pytest.raises(ConnectionError):
            waiting.receive()
        project.make("blocked.release")
        assert begun.read().status == 200
        while served_by & set(instance.workers()):
            assert instance.probe("readiness").status == 200
    assert instance.stop(timeout=20).code == 0


@pytest.mark.long
def test_successor_that_does_not_serve(served: Serve, project: Project) -> None:
    """If the successor of a worker cannot be loaded at a reload, the old one serves on."""
    (project.folder / "breaking.py").write_text(BREAKING)
    instance = served(
        project=project.with_settings(WSGI_APPLICATION="breaking.application"), drain_seconds=0
    )
    before = instance.workers()
    project.make("broken")
    instance.send_signal(signal.SIGHUP)
    instance.wait_for_line("Worker 1 is not replaced: its successor does not serve.", timeout=20)
    wait_until(lambda: instance.workers() == before)
    assert instance.get("/plain/").status == 200
    assert instance.probe("readiness").status == 200
    instance.wait_for_line("no brain")
    assert instance.stop(timeout=20).code == 0


@pytest.mark.long
def test_place_that_always_dies_beside_another(served: Serve) -> None:
    """If one place dies for ever while another serves, the container drains, then ends with 1."""
    instance = served("--workers", "2", drain_seconds=6)
    served_by = re.findall(r"Worker 2 \(pid (\d+)\) serves", str(instance.output))
    other = int(served_by[0])

    def have_died() -> bool:
        instance.kill_all_but(other)
        return len(re.findall(r"Worker 1 .* ended: killed", str(instance.output))) >= DEATHS

    wait_until(have_died, timeout=30)
    instance.wait_for_line("Draining", timeout=20)
    assert instance.probe("readiness").status == 503
    assert instance.get("/plain/").status == 200
    assert instance.wait(30).code == 1
    assert f"ended {DEATHS} times within 60 s" in str(instance.output)


def test_lifetime(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the end of a lifetime those that reach it are replaced, and the next end is waited for."""
    server = build("--workers-lifetime", "1h")
    now = time.monotonic()
    ages = [3600, 3000, 3500]
    server.wrks = [  # type: ignore[assignment]
        SimpleNamespace(idx=idx, birth=now - age) for idx, age in enumerate(ages)
    ]
    replaced: list[int] = []
    waits: list[int] = []

    def respawn(workers: list[int], *args: Any) -> None:
        replaced.extend(workers)

    def watch(seconds: int) -> None:
        waits.append(seconds)
        server.interrupt_signal = True

    monkeypatch.setattr(server, "_respawn_workers", respawn)
    monkeypatch.setattr(server, "_watch_workers_lifetime", watch)
    server._workers_lifetime_watcher(0)  # as Granian's own thread does, at the end of its wait
    server._serve_loop(None, None)
    assert replaced == [0, 2]
    assert waits == [pytest.approx(600, abs=2)]


@pytest.mark.parametrize(
    ("case", "lines"),
    [
        ("it ends", ["Worker 1 is not replaced: its successor does not serve."]),
        ("it is late", ["Worker 1 is not replaced: its successor does not serve."]),
        ("a stop comes", []),
    ],
)
def test_successor_that_cannot_serve(
    case: str, lines: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """The old worker stays; the successor is told to end, and its end is no death.

    If it is a signal that holds the successor up, nothing is wrong with it.
    """
    server: Any = Server("tests.project.wsgi:application")
    server.container = Container(settings(start_seconds=0 if case == "it is late" else 60))
    server.interrupt_signal = case == "a stop comes"
    told: list[str] = []
    old = SimpleNamespace(idx=0, terminate=lambda: told.append("old"))
    new = SimpleNamespace(
        idx=0,
        known=server.container.pool.add(1),
        is_alive=lambda: case != "it ends",
        terminate=lambda: told.append("new"),
        interrupt_by_parent=False,  # it was killed by somebody else, or ended by itself
    )
    server._start_worker = lambda *args: new
    server.wrks = [old]
    try:
        server._respawn_workers([0], None, None)
        server.worker_ended(new)
    finally:
        server.container.stop()
    assert (server.wrks, told, server._dead) == ([old], ["new"], [])
    assert caplog.messages == lines


def test_death_that_a_reload_overtakes() -> None:
    """A dead worker that a reload has replaced is not replaced, and its death is not counted."""
    server: Any = Server("tests.project.wsgi:application")
    server.container = Container(settings())
    started: list[int] = []
    server._start_worker = lambda idx, *args: started.append(idx)
    new = SimpleNamespace(idx=0)
    try:
        for _ in range(DEATHS):
            dead = SimpleNamespace(
                idx=0,
                known=server.container.pool.add(1),
                inner=SimpleNamespace(pid=1),
                said="killed by SIGKILL",
                interrupt_by_parent=False,
            )
            server.wrks = [dead]
            server.worker_ended(dead)
            server.wrks = [new]
            server._note_dead()
            server._replace_dead(None, None)
    finally:
        server.container.stop()
    assert (started, server.wrks) == ([], [new])
    assert (server.problem, server.interrupt_signal) == ("", False)


def test_dead_worker_that_a_reload_has_replaced() -> None:
    """A worker that could not be replaced, and then was by a reload, is not replaced again."""
    server: Any = Server("tests.project.wsgi:application")
    dead, new = SimpleNamespace(idx=0, name="dead"), SimpleNamespace(idx=0, name="new")
    started: list[int] = []

    def start(idx: int, *args: Any) -> Any:
        started.append(idx)
        if len(started) == 1:
            raise WorkerStartError("Worker 1 cannot be started: Too many open files")
        return SimpleNamespace(idx=idx)

    server._start_worker = start
    server.wrks, server._unreplaced = [dead], [dead]
    server._replace_dead(None, None)
    assert (started, server.wrks, server._unreplaced) == ([0], [dead], [dead])
    server.wrks = [new]
    server._replace_dead(None, None)
    assert (started, server.wrks, server._unreplaced) == ([0], [new], [])


def test_reload_without_a_descriptor(caplog: pytest.LogCaptureFixture) -> None:
    """A reload for which no process can be started leaves the old worker alone."""
    server: Any = Server("tests.project.wsgi:application")
    server.wrks = [SimpleNamespace(idx=0)]
    before = list(server.wrks)
    with no_descriptor_left():
        server._respawn_workers([0], None, None)
    assert server.wrks == before
    assert caplog.messages == [
        "Worker 1 cannot be started: Too many open files: the old one stays."
    ]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_worker_that_nobody_can_watch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is forked, and for whose end no thread can wait, is ended and forgotten."""
    server: Any = build_server(asgi=False, defaults={}, given={}, more=[])
    server.container = Container(settings())
    server._sso = None  # as Granian sets it when it starts
    made: list[Process] = []

    def spawn(idx: int, *args: Any) -> Process:
        made.append(Server._spawn_worker(server, idx, *args))
        return made[0]

    def refuse(worker: Process) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(server, "_spawn_worker", spawn)
    monkeypatch.setattr(Process, "_watch", refuse)
    try:
        with (
            start_method("fork"),
            pytest.raises(
                WorkerStartError, match=r"Worker 1 cannot be started: can't start new thread"
            ),
        ):
            server._start_worker(0, lambda *args: time.sleep(60), None)
        assert made[0].inner.exitcode == -signal.SIGKILL
        assert server.container.pool.workers == []
    finally:
        server.container.stop()
