"""Whom the probes ask and when, and what they tell: the test ticks, the clock stands."""

import logging
import queue
from types import SimpleNamespace

import pytest

from dockerflow_django import health
from dockerflow_django.supervisor.channel import PING
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.probes import ContainerProbes, Verdict
from tests.supervisor.conftest import SILENT_SECONDS, START_SECONDS, say

EACH = [PING, *health.PROBES]


def tick(probes: ContainerProbes, seconds: float) -> None:
    """Look at that time, and write the log lines that wait."""
    probes.pool.clock.seconds = seconds
    probes.pool._listen()
    probes._tick()
    while True:
        try:
            probes._speaker._calls.get_nowait()()
        except queue.Empty:
            return


def asked(worker: Worker) -> list[str]:
    """Return what the worker is asked and has not answered."""
    return [question.name for question in worker.open.values()]


def answer(worker: Worker, *names: str, outcome: str = "passed", level: int = 0) -> None:
    """Answer the open questions of those names."""
    for id_, question in worker.open.items():
        if question.name in names:
            message = {"id": id_, "is_last": True, "serves": worker.serves}
            if question.name != PING and worker.serves:
                message |= {"outcome": outcome, "level": level}
            say(worker, message, body=b'{"status": "?"}')


def serving(probes: ContainerProbes, number: int, seconds: float = 0.0) -> Worker:
    """Return a worker that serves and has answered everything."""
    worker = probes.pool.add(number)
    worker.process = SimpleNamespace(pid=number * 10)
    say(worker, {"serves": True})
    tick(probes, seconds)
    answer(worker, *EACH)
    tick(probes, seconds)
    return worker


def test_once_a_second(still: ContainerProbes) -> None:
    """A worker is asked everything at first, and again a second after what it has answered."""
    worker = still.pool.add(1)
    tick(still, 10.0)
    assert asked(worker) == EACH
    tick(still, 11.5)
    assert asked(worker) == EACH  # never the same question twice
    answer(worker, PING, "readiness")
    tick(still, 11.5)
    assert asked(worker) == ["liveness", "startup", PING, "readiness"]
    answer(worker, *EACH)
    tick(still, 12.25)
    assert asked(worker) == ["liveness", "startup"]
    tick(still, 12.5)
    assert asked(worker) == ["liveness", "startup", PING, "readiness"]


def test_first_answers(still: ContainerProbes) -> None:
    """What a worker could not answer before it served it is asked as soon as it serves."""
    worker = still.pool.add(1)
    tick(still, 0.0)
    answer(worker, *EACH)
    tick(still, 0.25)
    assert asked(worker) == []
    say(worker, {"serves": True})
    tick(still, 0.5)
    assert asked(worker) == list(health.PROBES)
    answer(worker, "liveness", "startup")
    tick(still, 0.75)
    assert asked(worker) == ["readiness"]
    answer(worker, "readiness", outcome="failed", level=40)
    tick(still, 1.0)
    assert asked(worker) == [PING]  # it was asked a second ago, and the rest is answered


def test_worker_that_serves(still: ContainerProbes, caplog: pytest.LogCaptureFixture) -> None:
    """That a worker serves is logged once, and the first of all is told once."""
    caplog.set_level(logging.INFO)
    told: list[str] = []
    still.on_first_serving = lambda: told.append("first")
    still.on_look = lambda: told.append("look")
    tick(still, 0.0)
    assert (told, still.has_served) == (["look"], False)
    told.clear()
    worker = serving(still, 1)
    assert told == ["look", "first", "look"]
    assert still.has_served is True
    serving(still, 2)
    assert told.count("first") == 1
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("INFO", "Worker 1 (pid 10) serves."),
        ("INFO", "Worker 2 (pid 20) serves."),
    ]
    still.pool.remove(worker)
    tick(still, 1.0)
    assert still._asked_at.keys() == set(still.pool.workers)


def test_worker_that_serves_after_a_while(
    still: ContainerProbes, caplog: pytest.LogCaptureFixture
) -> None:
    """That it has been there for some time makes it no worker that is known to serve."""
    caplog.set_level(logging.INFO)
    worker = still.pool.add(1)
    tick(still, 0.0)
    assert caplog.messages == []
    say(worker, {"serves": True})
    tick(still, 1.0)
    assert caplog.messages == ["Worker 1 (pid None) serves."]


def test_silence_is_logged(still: ContainerProbes, caplog: pytest.LogCaptureFixture) -> None:
    """That a worker does not answer is logged once, and so is that it answers again."""
    one, two = serving(still, 1), serving(still, 2)
    caplog.clear()
    caplog.set_level(logging.INFO)
    tick(still, 1.0)
    tick(still, 1.0 + SILENT_SECONDS)
    assert caplog.records == []
    for seconds in (1.5, 2.0):
        tick(still, seconds + SILENT_SECONDS)
    say(one, {})
    tick(still, 2.0 + SILENT_SECONDS)
    still.pool.remove(two)  # it does not answer again
    tick(still, 2.0 + SILENT_SECONDS)
    logged = [(each.levelname, each.getMessage()) for each in caplog.records]
    assert sorted(logged[:2]) == [
        ("ERROR", "Worker 1 (pid 10) does not answer."),
        ("ERROR", "Worker 2 (pid 20) does not answer."),
    ]
    assert logged[2:] == [("INFO", "Worker 1 (pid 10) answers again.")]


def test_time_without_a_worker(still: ContainerProbes) -> None:
    """It counts from the last moment in which one served, or none had been started yet."""
    tick(still, 1000.0)
    assert not still.verdict("liveness").has_failed
    late = still.pool.add(1)
    tick(still, 1001.0)
    still.pool.remove(late)
    tick(still, 1000.0 + START_SECONDS)
    assert not still.verdict("liveness").has_failed
    tick(still, 1000.5 + START_SECONDS)
    assert still.verdict("liveness").has_failed
    worker = serving(still, 2, 2000.0)
    assert not still.verdict("liveness").has_failed
    still.pool.remove(worker)
    tick(still, 2000.0 + START_SECONDS)
    assert not still.verdict("liveness").has_failed
    tick(still, 2000.5 + START_SECONDS)
    assert still.verdict("liveness").has_failed


def test_changes(still: ContainerProbes) -> None:
    """Each change of an outcome is told once, with the one before, and starting is none."""
    told: list[tuple[str, str | None, Verdict]] = []
    still.on_change = lambda *change: told.append(change)
    tick(still, 0.0)
    assert [(probe, old, now.outcome) for probe, old, now in told] == [("liveness", None, "passed")]
    worker = serving(still, 1)
    told.clear()
    tick(still, 1.0)
    answer(worker, "readiness", outcome="failed", level=40)
    tick(still, 1.0)
    tick(still, 1.25)
    ((probe, old, now),) = told
    assert (probe, old, now.outcome, now.level) == ("readiness", "passed", "failed", 40)


def test_first_outcome_is_a_failure(still: ContainerProbes) -> None:
    """A container whose first outcome is an error tells of it; one that is expected is none."""
    told: list[tuple[str, str | None, str]] = []
    still.on_change = lambda probe, old, now: told.append((probe, old, now.outcome))
    worker = still.pool.add(1)
    say(worker, {"serves": True})
    tick(still, 0.0)
    answer(worker, "readiness", outcome="failed", level=20)
    answer(worker, "startup", outcome="failed", level=40)
    tick(still, 0.0)
    assert told == [("liveness", None, "passed"), ("startup", None, "failed")]
