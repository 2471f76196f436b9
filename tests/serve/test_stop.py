"""Signals: whenever they come, and to whom, nothing is lost and nothing stays."""

import functools
import os
import signal
import threading
import time
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from dockerflow_django.serve.server import Server
from dockerflow_django.serve.stop import StopRequests
from dockerflow_django.supervisor.container import Container
from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.supervisor.test_answers import settings

Serve = Callable[..., Served]
STOPS = [signal.SIGTERM, signal.SIGINT]


def ask_in_thread(instance: Served, path: str) -> tuple[threading.Thread, list[http.Answer]]:
    """Ask in a thread of its own; the answer is in the list once the thread has ended."""
    answers: list[http.Answer] = []
    thread = threading.Thread(target=lambda: answers.append(instance.get(path)))
    thread.start()
    return thread, answers


def ends_connection(answer: http.Answer) -> bool:
    """Tell whether the answer, which must be a good one, is the last of its connection."""
    assert answer.status == 200
    return answer.headers["Connection"] == "close"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
@pytest.mark.parametrize("workers", ["1", "2"])
def test_request_under_way_finishes(served: Serve, kind: str, workers: str) -> None:
    """A request of 3 s that is under way at SIGTERM is answered, and the exit is 0 (H6, X5, P1)."""
    instance = served("--workers", workers, kind=kind)
    began = time.monotonic()
    thread, answers = ask_in_thread(instance, "/slow/?seconds=3")
    wait_until(lambda: instance.project.count("slow.waiting"))
    ended = instance.stop()
    elapsed = time.monotonic() - began
    thread.join(5)
    assert [answer.status for answer in answers] == [200]
    assert ended.code == 0
    assert elapsed >= 3


@pytest.mark.long
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("to_group", [False, True])
def test_signal_drains(
    served: Serve, project: Project, stop: signal.Signals, to_group: bool
) -> None:
    """SIGTERM and SIGINT, to the process or its group: readiness fails while it serves on (H6)."""
    instance = served("--workers", "2", drain_seconds=60)
    assert instance.probe("readiness").status == 200
    with instance.connect() as kept:
        assert kept.request(path="/plain/").headers["Connection"] is None
        (instance.send_signal_to_group if to_group else instance.send_signal)(stop)
        wait_until(lambda: instance.probe("readiness").status == 503)
        assert instance.probe("liveness").status == 200
        # The workers learn of it a moment later, each for itself.
        wait_until(lambda: instance.get("/__heartbeat__/readiness").status == 503)
        wait_until(lambda: ends_connection(kept.request(path="/plain/")))
    assert instance.stop(stop).code == 0
    assert "Stopped." in str(instance.output)


@pytest.mark.long
@pytest.mark.parametrize("stop", STOPS)
def test_drain_lasts(served: Serve, stop: signal.Signals) -> None:
    """A drain takes its whole time, though nothing is in flight, and ends by itself (H6)."""
    instance = served(drain_seconds=1.5)
    began = time.monotonic()
    assert instance.stop(stop).code == 0
    assert time.monotonic() - began >= 1.5
    assert "Stopped." in str(instance.output)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_second_signal_hurries(served: Serve, kind: str) -> None:
    """A second signal ends the drain, and what is in flight is still answered."""
    instance = served(kind=kind, drain_seconds=60)
    thread, answers = ask_in_thread(instance, "/slow/?seconds=2")
    wait_until(lambda: instance.project.count("slow.waiting"))
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("Draining")
    ended = instance.stop(signal.SIGINT)
    thread.join(5)
    assert [answer.status for answer in answers] == [200]
    assert ended.code == 0


@pytest.mark.long
def test_third_signal_cuts(served: Serve) -> None:
    """A third signal waits for nothing, and the exit is still 0."""
    instance = served(drain_seconds=60)
    thread = threading.Thread(target=instance.get_and_lose, args=("/blocked/",))
    thread.start()
    wait_until(lambda: instance.project.count("blocked.waiting"))
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("Draining")
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("hurry")
    ended = instance.stop(signal.SIGTERM)
    thread.join(5)
    assert ended.code == 0


@pytest.mark.long
def test_graceful_timeout_is_finite(served: Serve) -> None:
    """A request that never ends is cut after the graceful timeout, and the exit is 0 (X5)."""
    instance = served("--graceful-timeout", "1", drain_seconds=0)
    thread = threading.Thread(target=instance.get_and_lose, args=("/blocked/",))
    thread.start()
    wait_until(lambda: instance.project.count("blocked.waiting"))
    began = time.monotonic()
    ended = instance.stop()
    elapsed = time.monotonic() - began
    thread.join(5)
    assert ended.code == 0
    assert elapsed >= 1


@pytest.mark.long
@pytest.mark.parametrize("stop", STOPS)
def test_as_first_process(served: Serve, stop: signal.Signals) -> None:
    """As PID 1, for which the kernel has no default action, a signal drains and the exit is 0."""
    instance = served(before=["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"])
    (first,) = psutil.Process(instance.pid).children()
    first.send_signal(stop)
    instance.wait_for_line("Draining")
    assert instance.wait().code == 0


@pytest.mark.parametrize("to_group", [False, True])
def test_during_command(served: Serve, project: Project, to_group: bool) -> None:
    """A signal during ``--command`` ends the command, serves nothing, and the exit is 0."""
    instance = served("--command", "sleep 90", wait=False)
    instance.wait_for_line("Sleeping", timeout=20)
    assert instance.probe("liveness").status == 200
    assert instance.probe("startup").status == 503
    (instance.send_signal_to_group if to_group else instance.send_signal)(signal.SIGTERM)
    ended = instance.wait()
    assert ended.code == 0
    assert instance.family() == []
    assert "Stopped before serving began." in str(instance.output)


@pytest.mark.long
def test_during_command_as_first_process(served: Serve) -> None:
    """A signal during ``--command`` ends a PID 1 too, even where the command does not listen."""
    before = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
    instance = served("--command", "sleep 30 --deaf", wait=False, before=before)
    instance.wait_for_line("Sleeping", timeout=20)
    (first,) = psutil.Process(instance.pid).children()
    first.send_signal(signal.SIGTERM)
    ended = instance.wait(15)
    assert ended.code == 0


def test_during_wait(served: Serve, project: Project) -> None:
    """A signal during ``--wait`` ends the wait, and the exit is 0 (H13)."""
    away = project.with_databases(
        default={"ENGINE": "django.db.backends.postgresql", "HOST": "127.0.0.1", "PORT": "1"}
    )
    instance = served("--wait", "60", project=away, wait=False)
    instance.wait_for_line("Still waiting", timeout=20)
    assert instance.probe("readiness").status == 503
    instance.send_signal(signal.SIGTERM)
    ended = instance.wait()
    assert ended.code == 0


@pytest.mark.long
def test_signal_while_it_gives_up(served: Serve) -> None:
    """A signal ends the drain of a container that gives up, too; the exit stays 1."""
    instance = served("--workers", "2", drain_seconds=60)
    kept = instance.workers()[0]

    def has_given_up() -> bool:
        instance.kill_all_but(kept)
        return any("Draining" in line for line in instance.lines())

    wait_until(has_given_up, timeout=30)
    ended = instance.stop(timeout=20)
    assert ended.code == 1
    text = str(instance.output)
    assert text.count("Draining") == text.count("hurry") == 1


@pytest.mark.long
def test_parent_killed(served: Serve) -> None:
    """Workers whose parent was killed end too, so nobody keeps the port (X2, X5)."""
    instance = served("--workers", "2")
    workers = [psutil.Process(pid) for pid in instance.workers()]
    assert len(workers) == 2
    instance.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert alive == []


def test_begin() -> None:
    """It is as a first signal; after one it is none."""
    stop = StopRequests()
    try:
        stop.begin()
        assert (stop.wait(5), stop.count) == (signal.SIGTERM, 1)
        stop.begin()
        assert stop.wait(0) is None
    finally:
        stop._close()


def test_each_signal(caplog: pytest.LogCaptureFixture) -> None:
    """The first signal drains, the second ends the drain, the third kills the workers."""
    caplog.set_level("INFO")
    server: Any = Server("tests.project.wsgi:application")
    server.container = Container(settings(drain_seconds=600.0))
    server.stop_requests = stop = StopRequests()
    server._end_at_latest = lambda seconds: None  # it would end pytest
    killed: list[int] = []
    for idx in range(2):
        server.wrks.append(SimpleNamespace(kill=functools.partial(killed.append, idx)))
    waiter = threading.Thread(target=server._await_stop, daemon=True)
    try:
        waiter.start()
        for said, stops in [("Draining", False), ("hurry", True), ("is cut", True)]:
            assert killed == []
            assert not caplog.messages or said not in caplog.messages[-1]
            stop._writer.send(bytes([signal.SIGTERM]))
            wait_until(lambda: said in "".join(caplog.messages[-1:]))  # noqa: B023
            if stops:
                wait_until(lambda: server.interrupt_signal)
            else:
                assert not server.interrupt_signal
        waiter.join(5)
    finally:
        server.container.stop()
        stop._close()
    assert killed == [0, 1]
    assert len(caplog.messages) == 3


@pytest.mark.parametrize(("problem", "status"), [("", 0), ("worker 1 ended 5 times", 1)])
def test_end_at_once(monkeypatch: pytest.MonkeyPatch, problem: str, status: int) -> None:
    """A server that its log blocks kills its workers and ends: with 1 if it had a problem."""
    server: Any = Server("tests.project.wsgi:application")
    done: list[Any] = []
    monkeypatch.setattr(os, "_exit", done.append)
    server.problem = problem
    for name in "ab":
        server.wrks.append(SimpleNamespace(kill=functools.partial(done.append, name)))
    server._end_at_once()
    assert done == ["a", "b", status]
