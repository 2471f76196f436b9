"""How what is known is judged, at each limit: the pool's thread does not run, the clock stands."""

import json
from typing import Any

import pytest

from dockerflow_django import health
from dockerflow_django.supervisor.answers import ContainerAnswers, reply_of
from dockerflow_django.supervisor.known import OpenQuestion, Worker
from dockerflow_django.supervisor.probes import ContainerProbes, Verdict
from tests.supervisor.conftest import SILENT_SECONDS, START_SECONDS
from tests.supervisor.test_answers import settings


def answered(worker: Worker, probe: str, outcome: str, level: int, **payload: Any) -> None:
    """Have the worker serve, and its last answer to the probe say so."""
    question = OpenQuestion(probe, 0.0)
    question.answer = {"outcome": outcome, "level": level}
    question.parts.append(json.dumps(payload).encode())
    worker.serves = True
    worker.answers[probe] = question


def critical(sentence: str) -> dict[str, Any]:
    """Return the body with details of a probe that fails for that."""
    messages = {health.ERROR_STALLED: sentence}
    return {
        "status": "critical",
        "checks": {"lifecycle": "critical"},
        "details": {"lifecycle": {"status": "critical", "level": 50, "messages": messages}},
    }


def test_silence(still: ContainerProbes) -> None:
    """It begins with a question that stays open, or the word after it, and has to be too long."""
    worker = still.pool.add(1)
    answered(worker, "liveness", "passed", 0, status="ok")
    still.pool.clock.seconds = 100.0
    worker.open[1] = OpenQuestion("ping", 50.0)
    assert not still.is_silent(worker)  # it has never said a word
    worker.spoke_at = 90.0
    worker.open[2] = OpenQuestion("liveness", 95.0)
    assert worker.unanswered_since == 90.0
    assert not still.is_silent(worker)  # exactly as long as allowed
    assert still.verdict("liveness").payload == {"status": "ok"}
    still.pool.clock.seconds += 0.5
    assert still.is_silent(worker)
    assert still.verdict("liveness").payload == critical("Worker 1 does not answer.")
    worker.spoke_at = 80.0
    worker.open.pop(1)
    assert worker.unanswered_since == 95.0
    assert not still.is_silent(worker)
    worker.open.clear()
    assert worker.unanswered_since is None


def test_worker_that_takes_long_to_start(still: ContainerProbes) -> None:
    """Beside one that serves it fails liveness alone, after the time to start."""
    still.pool.clock.seconds = 10.0
    slow, well = still.pool.add(7), still.pool.add(8)
    for probe in health.PROBES:
        answered(well, probe, "passed", 0, status="ok")
    still.pool.clock.seconds += START_SECONDS
    assert [still.verdict(probe).outcome for probe in health.PROBES] == ["passed"] * 3
    still.pool.clock.seconds += 1
    assert still.verdict("liveness").payload == critical(
        "Worker 7 does not serve 120 s after its start."
    )
    assert not still.verdict("readiness").has_failed
    slow.stops = True
    assert not still.verdict("liveness").has_failed


def test_nobody_serves(still: ContainerProbes) -> None:
    """Until the time to start is over that is starting, then a failure."""
    for seconds in (0.0, START_SECONDS):
        still.pool.clock.seconds = seconds
        assert not still.verdict("liveness").has_failed
        assert still.verdict("readiness").is_starting
        assert still.verdict("startup").is_starting
    still.pool.clock.seconds += 1
    for probe in health.PROBES:
        assert still.verdict(probe).payload == critical("No worker has served for 120 s.")


def test_nobody_serves_any_more(still: ContainerProbes) -> None:
    """Once a worker has served, readiness without one is an error, and liveness is not."""
    still.has_served = True
    assert still.verdict("liveness").payload == {"status": "ok", "checks": {}, "details": {}}
    assert still.verdict("readiness").payload == critical("No worker serves.")
    assert not still.verdict("readiness").is_starting


@pytest.mark.parametrize("has_served", [False, True])
def test_draining(still: ContainerProbes, has_served: bool) -> None:
    """Readiness fails, which is expected; liveness holds, however long ago anybody served."""
    still.has_served = has_served
    still.pool.drain()
    assert still.verdict("startup").has_failed
    assert still.verdict("readiness").is_expected
    wanted = health.INFO_DRAINING if has_served else health.INFO_STARTING
    assert wanted in still.verdict("readiness").messages["lifecycle"]
    assert not still.verdict("liveness").has_failed
    still.pool.clock.seconds = START_SECONDS + 1
    assert still.verdict("liveness").has_failed is not has_served


def test_draining_while_it_serves(still: ContainerProbes) -> None:
    """Readiness fails for the drain, and nothing else does."""
    worker = still.pool.add(1)
    for probe in health.PROBES:
        answered(worker, probe, "passed", 0, status="ok")
    still.pool.drain()
    assert health.INFO_DRAINING in still.verdict("readiness").messages["lifecycle"]
    assert not still.verdict("liveness").has_failed
    assert not still.verdict("startup").has_failed


def test_the_worst_verdict(still: ContainerProbes) -> None:
    """A failure is worse than any level that passes, and among failures the level counts."""
    one, two, three = (still.pool.add(number) for number in (1, 2, 3))
    answered(one, "liveness", "passed", 40, status="error")
    answered(two, "liveness", "failed", 30, status="warning")
    assert still.verdict("liveness").payload == {"status": "warning"}
    answered(three, "liveness", "failed", 50, status="critical")
    assert still.verdict("liveness").payload == {"status": "critical"}


def test_whole_verdict(still: ContainerProbes) -> None:
    """A failure is as grave as it says, also beside another worker's, and tells a webhook why."""
    silent, well = still.pool.add(1), still.pool.add(2)
    answered(well, "readiness", "failed", 40, status="error")
    silent.spoke_at = 0.0
    silent.open[1] = OpenQuestion("ping", 0.0)
    still.pool.clock.seconds = SILENT_SECONDS + 1
    verdict = still.verdict("readiness")
    assert (verdict.outcome, verdict.level) == ("failed", 50)
    assert verdict.messages == {
        "lifecycle": {health.ERROR_STALLED: "Worker 1 does not answer."},
    }


def test_before_the_first_answer(still: ContainerProbes) -> None:
    """A worker that serves and has not answered yet lives, and is starting."""
    worker = still.pool.add(1)
    worker.serves = True
    still.has_served = True
    worker.answers["liveness"] = worker.answers["readiness"] = OpenQuestion("readiness", 0.0)
    assert not still.verdict("liveness").has_failed
    assert still.verdict("readiness").is_starting
    assert still.verdict("startup").is_starting


def test_worker_that_is_starting(still: ContainerProbes) -> None:
    """It is left out beside one that is not, and counts if all are."""
    one, two = still.pool.add(1), still.pool.add(2)
    one.serves = True
    answered(two, "startup", "failed", 40, status="error")
    assert still.verdict("startup").payload == {"status": "error"}
    answered(two, "startup", "passed", 0, status="ok")
    assert still.verdict("startup").payload == {"status": "ok"}
    two.answers.clear()
    assert still.verdict("startup").is_starting


@pytest.mark.parametrize(
    ("answer", "body", "sentence"),
    [
        ({"status": 500}, b"", "A worker could not evaluate the probe."),
        ({"outcome": "passed", "level": 0}, b"", "A worker's answer cannot be read."),
        ({"outcome": "passed"}, b"{}", "A worker's answer cannot be read."),
        (
            {"outcome": "passed", "level": 0},
            b'{"details": []}',
            "A worker's answer cannot be read.",
        ),
    ],
)
def test_answer_that_is_none(
    still: ContainerProbes, answer: dict[str, Any], body: bytes, sentence: str
) -> None:
    """An answer that says nothing of the probe fails it, and tells why."""
    worker = still.pool.add(1)
    answered(worker, "liveness", "passed", 0)
    worker.answers["liveness"].answer = answer
    worker.answers["liveness"].parts = [body]
    assert still.verdict("liveness").payload == critical(sentence)
    assert still.verdict("liveness").messages == {"lifecycle": {health.ERROR_STALLED: sentence}}


def test_answer_of_a_worker(still: ContainerProbes) -> None:
    """What a worker says is the container's, in whole."""
    worker = still.pool.add(1)
    details = {"x": {"status": "error", "messages": {"x.E1": "no"}}}
    answered(worker, "liveness", "failed", 40, status="error", details=details)
    assert still.verdict("liveness") == Verdict(
        "failed", 40, {"status": "error", "details": details}, {"x": {"x.E1": "no"}}
    )


@pytest.mark.parametrize(
    ("level", "is_expected"), [(0, True), (30, True), (39, True), (40, False), (50, False)]
)
def test_what_is_expected(level: int, is_expected: bool) -> None:
    """A failure below an error is."""
    assert Verdict("failed", level).is_expected is is_expected


def test_settled(still: ContainerProbes) -> None:
    """A worker is once it serves and has answered for readiness, whatever it has said."""
    worker = still.pool.add(1)
    assert not still.is_settled(worker)
    worker.serves = True
    assert not still.is_settled(worker)
    answered(worker, "readiness", "failed", 40, status="error")
    assert still.is_settled(worker)
    worker.stops = True
    assert not still.is_settled(worker)


@pytest.mark.parametrize(
    ("verdict", "details", "status", "body"),
    [
        (Verdict("passed", 0, {"status": "ok", "a": 1}), True, 200, {"status": "ok", "a": 1}),
        (Verdict("passed", 0, {"status": "ok", "a": 1}), False, 200, {"status": "ok"}),
        (Verdict("failed", 40, {"a": 1}), False, 503, {"status": "critical"}),
    ],
)
def test_reply(verdict: Verdict, details: bool, status: int, body: dict[str, Any]) -> None:
    """Without details only the status is told."""
    reply = reply_of(verdict, details=details)
    assert (reply.status, json.loads(reply.body)) == (status, body)
    assert reply.content_type == "application/json"


def test_who_is_asked_for_metrics(still: ContainerProbes) -> None:
    """The worker that spoke last comes first, and one that does not serve not at all."""
    workers = [still.pool.add(number) for number in range(4)]
    for worker, spoke_at in zip(workers, (None, 0.5, 9.0, 7.0), strict=True):
        worker.serves, worker.spoke_at = worker is not workers[3], spoke_at
    answers = ContainerAnswers(still, settings())
    assert [worker.number for worker in answers._by_last_word()] == [2, 1, 0]
