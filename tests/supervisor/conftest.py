"""A pool with workers in threads of this process, on a clock that the test moves."""

import json
import os
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from dockerflow_django import lifecycle
from dockerflow_django.supervisor.channel import Message, Question, WorkerChannel, pack
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.probes import ContainerProbes
from tests.harness.waiting import wait_until

SILENT_SECONDS, START_SECONDS = 10.0, 120.0
# The names of a worker's thread.
LISTENING, FROZEN = "worker-listens", "worker-is-frozen"


class FakeWorker:
    """The worker's side of a line, in this process: it answers as the test says.

    `outcomes` maps a probe to an outcome and a level; a probe that is not there is not answered,
    one whose evaluation raises is ``broken``, and one that comes just before the worker serves, and
    passes the next time, is ``early``.
    """

    def __init__(self, probes: ContainerProbes, number: int) -> None:
        self.known: Worker = probes.pool.add(number)
        self.outcomes: dict[str, tuple[str, int]] = dict.fromkeys(
            ("liveness", "readiness", "startup"), ("passed", 0)
        )
        self.messages = {"x.E1": "no"}
        self.asked: list[Question] = []
        # Its own copy, as a fork would have one; the pool closes the other.
        self.channel = WorkerChannel(self.known.worker_end.dup())
        self.ends: list[int] = []
        self._listen = threading.Thread(target=self._work, name=LISTENING, daemon=True)
        self._listen.start()
        probes.pool.started(self.known)

    def serve(self) -> "FakeWorker":
        """Say that it serves."""
        self.channel.serve_questions(self._answer)
        return self

    def wait_until_heard(self) -> None:
        """Wait until it has answered what a worker that serves is asked, and nothing is open."""
        wait_until(
            lambda: (
                self.outcomes.keys() <= {question.name for question in self.asked}
                and not self.known.open
            )
        )

    def freeze(self) -> None:
        """Answer nothing more, and acknowledge nothing."""
        self.channel._receive = self._never  # type: ignore[method-assign]

    def _never(self) -> bytes:
        threading.current_thread().name = FROZEN
        threading.Event().wait()
        return b""

    def end(self) -> None:
        """End as a process does: its end of the line is closed."""
        self.channel._end.shutdown(socket.SHUT_RDWR)

    def _work(self) -> None:
        self.channel._listen()
        self.channel.close()

    def _answer(self, question: Question) -> None:
        self.asked.append(question)
        if question.name not in self.outcomes:
            return
        outcome, level = self.outcomes[question.name]
        if outcome == "broken":
            self.channel.send_answer(question, {"status": 500})
            return
        if outcome == "early":
            self.outcomes[question.name] = ("passed", 0)
            self.channel.send_answer(question, {})
            return
        details = {"x": {"messages": self.messages}} if level else {}
        status = {0: "ok", 20: "info", 40: "error"}[level]
        body = json.dumps({"status": status, "details": details}).encode()
        self.channel.send_answer(question, {"outcome": outcome, "level": level}, body)


@pytest.fixture
def line() -> Iterator[tuple[WorkerChannel, socket.socket]]:
    """Give a worker's end and the supervisor's; this process begins and ends as no worker."""
    end, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    lifecycle.reset()
    with end, worker_end:
        end.settimeout(5)
        yield WorkerChannel(worker_end), end
    lifecycle.reset()


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[int]]:
    """Keep the signals with which a worker would end itself, until the last one has listened."""
    signals: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, number: signals.append(number))
    yield signals
    wait_until(lambda: LISTENING not in {thread.name for thread in threading.enumerate()})


@pytest.fixture
def probes(ended: list[int]) -> Iterator[ContainerProbes]:
    """Give the probes of a container without workers, on a clock that stands still."""
    before = set(threading.enumerate())
    probes = ContainerProbes(SILENT_SECONDS, START_SECONDS)
    probes.pool.clock._now = lambda: 0.0  # only `pass_time` moves it
    probes.pool.clock._ticked_at = 0.0
    probes.start()
    yield probes
    for worker in probes.pool.workers:
        probes.pool.remove(worker)
    wait_until(lambda: not probes.pool._workers)
    probes.pool.stop()
    names = {"dockerflow-workers"}
    wait_until(lambda: not {t for t in set(threading.enumerate()) - before if t.name in names})


@pytest.fixture
def still() -> Iterator[ContainerProbes]:
    """Give probes whose thread does not run: they learn nothing but what the test says."""
    probes = ContainerProbes(SILENT_SECONDS, START_SECONDS)
    probes.pool.clock.seconds = 0.0
    yield probes
    probes.pool.stop()


def started(start: Callable[[], object]) -> list[tuple[str, bool]]:
    """Return the name of each thread that is started, and whether the process may end before it."""
    before = set(threading.enumerate())
    start()
    return [(each.name, each.daemon) for each in set(threading.enumerate()) - before]


def say(worker: Worker, *messages: Message, body: bytes = b"") -> None:
    """Write the messages on the line, as the worker does, each with the body."""
    for message in messages:
        worker.worker_end.send(pack(message, body))


def pass_time(probes: ContainerProbes, seconds: float) -> None:
    """Move the clock, and wait until the thread has listened and looked after that."""
    looked = threading.Event()
    tick = probes.pool.on_tick

    def move() -> None:  # in the thread, whose own ticks move the clock too
        tick()
        probes.pool.clock.seconds += seconds
        probes.pool.on_tick = look
        probes.pool.wake()

    def look() -> None:
        tick()
        looked.set()

    probes.pool.on_tick = move
    probes.pool.wake()
    assert looked.wait(30)
    probes.pool.on_tick = tick
