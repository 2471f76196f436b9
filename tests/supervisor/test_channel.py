"""A parent and its workers: every question ends in time, and no answer is taken for another."""

import json
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from dockerflow_django.supervisor.channel import Crew, Member, News, Post, Reply, reply
from dockerflow_django.supervisor.probes import ALIVE, CrewProbes, Messages
from tests.harness.waiting import wait_until

Heard = list[tuple[Member, News]]


class Worker:
    """A worker in a thread, which answers as the test says."""

    def __init__(self, crew: Crew, number: int, *statuses: int | None) -> None:
        self.member = crew.hire(number)
        # The parent closes its copy of this end after a fork; here there is one process.
        self.post = Post(self.member.post.dup())
        crew.forked(self.member)
        self._statuses = list(statuses)
        self.asked: list[str] = []
        self.late: list[socket.socket] = []
        self.thread = threading.Thread(target=self._work, name="dockerflow-test", daemon=True)
        self.thread.start()

    def answer(self, *statuses: int | None) -> None:
        """Answer so from now on; None keeps silent."""
        self._statuses = list(statuses)

    def end(self) -> None:
        """Leave nothing open, once the parent has gone."""
        self.thread.join(5)
        for to in self.late:
            to.close()

    def _work(self) -> None:
        for question, to in self.post.questions():
            self.asked.append(question)
            status = self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]
            if status is None:
                self.late.append(to)
            else:
                reply(to, Reply(status, json.dumps({"status": "ok", "n": status}).encode()))


@pytest.fixture
def probes() -> Iterator[CrewProbes]:
    """Give a parent without workers."""
    before = set(threading.enumerate())
    probes = CrewProbes(0.1)
    yield probes
    for member in probes.crew.members:
        probes.gone(member)
    wait_until(lambda: not set(threading.enumerate()) - before)


def test_worst_answer_counts(probes: CrewProbes) -> None:
    """Of the answers to a probe the worst counts, of those to the version the best."""
    Worker(probes.crew, 1, 200)
    Worker(probes.crew, 2, 503)
    assert probes.ask("readiness").status == 503
    assert probes.ask("version").status == 200


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/__lbheartbeat__", 200),
        ("/__heartbeat__/liveness", 200),
        ("/__heartbeat__/readiness", 503),
        ("/__heartbeat__/startup", 503),
        ("/__heartbeat__", 503),
        ("/__version__", 503),
        ("/__metrics__", 503),
    ],
)
def test_without_workers(probes: CrewProbes, path: str, status: int) -> None:
    """Before there is a worker, the process lives, and is not ready."""
    found = probes.answer(path)
    assert found is not None
    assert found.status == status


def test_unknown_path(probes: CrewProbes) -> None:
    """Any other path is nobody's."""
    assert probes.answer("/__error__") is None
    assert probes.answer("") is None


def test_silent_worker(probes: CrewProbes, caplog: pytest.LogCaptureFixture) -> None:
    """A worker that has answered once and no more fails every probe in time, and is logged once."""
    worker = Worker(probes.crew, 7, 200)
    assert probes.ask("liveness").status == 200
    worker.answer(None)
    begin = time.monotonic()
    assert probes.ask("readiness").status == 503
    assert time.monotonic() - begin < 0.5
    probes.ask("readiness")
    assert caplog.text.count("Worker 7 (pid None) does not answer") == 1
    worker.answer(200)
    assert probes.ask("readiness").status == 200
    for late in worker.late:
        reply(late, Reply(500, b"{}"))  # nobody waits for it any more
    assert probes.ask("readiness").status == 200
    probes.gone(worker.member)
    worker.end()


def test_worker_that_has_not_answered_yet(probes: CrewProbes) -> None:
    """A worker that has never answered is starting, not dead."""
    worker = Worker(probes.crew, 1, None)
    assert probes.ask("liveness") is ALIVE
    assert probes.ask("startup").status == 503
    probes.gone(worker.member)
    worker.end()


def test_full_line(probes: CrewProbes) -> None:
    """A worker that reads nothing at all costs no more than its line holds, and no waiting."""
    member = probes.crew.hire(1)
    member.has_answered = True
    for _ in range(30):
        assert probes.crew.ask("x", 0.001) == {member: None}
    assert member.ask("x") is None


def test_broken_answer(probes: CrewProbes) -> None:
    """An answer that is none counts as none."""
    member = probes.crew.hire(1)
    post = Post(member.post.dup())

    def work() -> None:
        parts = (b"", b"garbage", b'{"a": 1}\n')
        for part, (_, to) in zip(parts, post.questions(), strict=False):
            with to:
                to.sendall(part)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    for _ in range(3):
        assert probes.crew.ask("x", 1) == {member: None}
    thread.join(5)
    post.close()


def test_end_of_the_parent(probes: CrewProbes) -> None:
    """A worker whose parent ends is told by the end of its questions."""
    worker = Worker(probes.crew, 1, 200)
    probes.gone(worker.member)
    worker.thread.join(5)
    assert not worker.thread.is_alive()
    assert probes.crew.members == []
    probes.gone(worker.member)
    worker.post.tell({"probe": "readiness"})


def test_changes_are_told_once(probes: CrewProbes) -> None:
    """Each change of a probe's outcome is told once, with the messages of who saw it."""
    told: list[tuple[str, str, Messages, bool]] = []
    probes.on_change = lambda *change: told.append(change)
    one, two = Worker(probes.crew, 1, 200), Worker(probes.crew, 2, 200)
    probes.ask("readiness")
    assert told == []
    news = {
        "probe": "readiness",
        "new": "failed",
        "messages": {"a": {"x.E1": "no"}},
        "is_error": True,
    }
    one.post.tell(news)
    two.post.tell(news)
    for worker in (one, two):
        wait_until(lambda: probes._found["readiness"][worker.member][0] == "failed")  # noqa: B023
    assert told == [("readiness", "failed", {"a": {"x.E1": "no"}}, True)]
    one.post.tell({**news, "new": "passed", "messages": {}})
    two.post.tell({**news, "new": "passed", "messages": {}})
    wait_until(lambda: len(told) == 2)
    assert told[1] == ("readiness", "passed", {}, False)
    one.post.tell({**news, "probe": "heartbeat"})
    probes.ask("readiness")
    assert len(told) == 2


def test_nonsense_from_a_worker(probes: CrewProbes, caplog: pytest.LogCaptureFixture) -> None:
    """News that cannot be read is logged, and the next is heard."""
    told: list[str] = []
    probes.on_change = lambda probe, *change: told.append(probe)
    worker = Worker(probes.crew, 1, 200)
    worker.post.tell({})
    wait_until(lambda: "could not be passed on" in caplog.text)
    worker.post.tell({"probe": "liveness", "new": "failed", "messages": {}, "is_error": True})
    wait_until(lambda: told == ["liveness"])
