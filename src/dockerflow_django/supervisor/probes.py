"""What the last answers of all workers amount to: the outcome of each probe of the container.

Every worker is asked for the three probes about once a second, and pinged. Whoever asks for a probe
gets what is known, at once: no question is on an answer's way.
"""

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dockerflow_django import health
from dockerflow_django.health import FAILED, PASSED, PROBES
from dockerflow_django.supervisor.channel import PING
from dockerflow_django.supervisor.known import OpenQuestion, Worker
from dockerflow_django.supervisor.pool import WorkerPool
from dockerflow_django.supervisor.speaker import Speaker

POLL_SECONDS = 1.0
# Django's levels, by name.
INFO, ERROR, CRITICAL = 20, 40, 50
LIFECYCLE = "lifecycle"

logger = logging.getLogger("dockerflow_django")

Messages = dict[str, dict[str, str]]


@dataclass(frozen=True)
class Verdict:
    """The outcome of a probe; `payload` is the body with details.

    A probe that has failed without an error, as while starting or draining, is `is_expected`.
    """

    outcome: str
    level: int
    payload: dict[str, Any] = field(default_factory=dict)
    messages: Messages = field(default_factory=dict)

    @property
    def has_failed(self) -> bool:
        """Whether the outcome is the bad one."""
        return self.outcome == FAILED

    @property
    def is_starting(self) -> bool:
        """Whether the probe fails because the startup checks have not passed yet."""
        return self.has_failed and any(
            health.INFO_STARTING in each for each in self.messages.values()
        )

    @property
    def is_expected(self) -> bool:
        """Whether nothing is wrong."""
        return self.level < ERROR


# Takes the probe, the outcome before, None for the first, and what it is now.
OnChange = Callable[[str, str | None, Verdict], None]


class ContainerProbes:
    """Asks the workers of a pool, and knows the outcome of each probe."""

    def __init__(self, silent_seconds: float, start_seconds: float) -> None:
        self.silent_seconds = silent_seconds
        self.start_seconds = start_seconds
        self.pool = WorkerPool(self._tick)
        self.on_change: OnChange = lambda probe, old, verdict: None
        # Called several times a second.
        self.on_look: Callable[[], None] = lambda: None
        self.on_first_serving: Callable[[], None] = lambda: None
        self.log: Any = logger
        self._speaker = Speaker()
        self._asked_at: dict[Worker, dict[str, float]] = {}
        self._silent: set[Worker] = set()
        self._serving: set[Worker] = set()
        # When a worker served, or none was expected yet, for the last time.
        self._fine_at = 0.0
        self._has_workers = False
        self.has_served = False
        self._outcomes: dict[str, str] = {}

    def start(self) -> None:
        """Ask the workers from now on."""
        self._speaker.start()
        self.pool.start()

    def verdict(self, probe: str) -> Verdict:
        """Return the outcome of a probe, by what is known now."""
        with self.pool.lock:
            judged = [worker for worker in self.pool.workers if not worker.stops]
            serving = [worker for worker in judged if worker.is_serving]
            found = [self._verdict_of(worker, probe) for worker in serving]
            problems = [self._problem_of(worker, probe) for worker in judged]
        # Those that are still starting are left out as long as another one is not.
        verdicts = [verdict for verdict in found if not verdict.is_starting] or found
        verdicts += [problem for problem in problems if problem is not None]
        if not serving:
            verdicts.append(self._nobody_serves(probe))
        if self.pool.is_draining and probe == "readiness":
            verdicts.append(_DRAINING)
        return max(verdicts, key=lambda verdict: (verdict.has_failed, verdict.level))

    def is_settled(self, worker: Worker) -> bool:
        """Tell whether the worker serves, and has said whether it is ready: another may stop."""
        with self.pool.lock:
            verdict = self._verdict_of(worker, "readiness")
            return worker.is_serving and not verdict.is_starting

    def is_silent(self, worker: Worker) -> bool:
        """Tell whether the worker has said nothing for too long although it was asked."""
        since = worker.unanswered_since
        return since is not None and self.pool.clock.seconds - since > self.silent_seconds

    def _verdict_of(self, worker: Worker, probe: str) -> Verdict:
        if not _has_answered(worker, probe):
            return _ALIVE if probe == "liveness" else _STARTING
        question = worker.answers[probe]
        if question.verdict is None:
            question.verdict = _verdict_in(question)
        verdict: Verdict = question.verdict
        return verdict

    def _problem_of(self, worker: Worker, probe: str) -> Verdict | None:
        """Return why a worker fails the probe whatever it has said; None if it does not."""
        if self.is_silent(worker):
            return _failure(health.ERROR_STALLED, f"Worker {worker.number} does not answer.")
        age = self.pool.clock.seconds - worker.born_at
        if probe == "liveness" and not worker.serves and age > self.start_seconds:
            sentence = (
                f"Worker {worker.number} does not serve {self.start_seconds:g} s after its start."
            )
            return _failure(health.ERROR_STALLED, sentence)
        return None

    def _nobody_serves(self, probe: str) -> Verdict:
        if self.pool.is_draining and self.has_served:
            return _ALIVE if probe == "liveness" else _DRAINING
        if self.pool.clock.seconds - self._fine_at > self.start_seconds:
            sentence = f"No worker has served for {self.start_seconds:g} s."
            return _failure(health.ERROR_STALLED, sentence)
        if probe == "liveness":
            return _ALIVE
        return _NOBODY if self.has_served else _STARTING

    def _tick(self) -> None:
        """Ask what is due, and tell what has changed."""
        now = self.pool.clock.seconds
        workers = self.pool.workers
        for worker in workers:
            self._poll(worker, now)
        self._note_serving(workers, now)
        self._note_silence(workers)
        self._asked_at = {worker: self._asked_at[worker] for worker in workers}
        for probe in PROBES:
            self._announce(probe)
        self.on_look()

    def _poll(self, worker: Worker, now: float) -> None:
        asked_at = self._asked_at.setdefault(worker, {})
        with self.pool.lock:
            asked = {question.name for question in worker.open.values()}
            # What it said before it served is no answer; it is asked as soon as it serves.
            new = {probe for probe in PROBES if worker.serves and not _has_answered(worker, probe)}
        for probe in (PING, *PROBES):
            is_due = probe in new or now - asked_at.get(probe, -POLL_SECONDS) >= POLL_SECONDS
            if is_due and probe not in asked:
                asked_at[probe] = now
                self.pool.ask(worker, probe)

    def _note_serving(self, workers: list[Worker], now: float) -> None:
        for worker in workers:
            if worker.is_serving and worker not in self._serving:
                self._serving.add(worker)
                self._speaker.say(
                    self.log.info, "Worker %s (pid %s) serves.", worker.number, worker.pid
                )
        self._serving &= set(workers)
        is_serving = any(worker.is_serving for worker in workers)
        self._has_workers = self._has_workers or bool(workers)
        if is_serving and not self.has_served:
            self._speaker.say(self.on_first_serving)
        self.has_served = self.has_served or is_serving
        if is_serving or not self._has_workers:
            self._fine_at = now

    def _note_silence(self, workers: list[Worker]) -> None:
        silent = {worker for worker in workers if self.is_silent(worker)}
        for worker in silent - self._silent:
            self._speaker.say(
                self.log.error, "Worker %s (pid %s) does not answer.", worker.number, worker.pid
            )
        for worker in (self._silent - silent) & set(workers):
            self._speaker.say(
                self.log.info, "Worker %s (pid %s) answers again.", worker.number, worker.pid
            )
        self._silent = silent

    def _announce(self, probe: str) -> None:
        verdict = self.verdict(probe)
        before = self._outcomes.get(probe)
        # Every life begins with starting: that is no outcome.
        is_known = before is not None or not verdict.has_failed or not verdict.is_expected
        if is_known and verdict.outcome != before:
            self._outcomes[probe] = verdict.outcome
            self.on_change(probe, before, verdict)


def _has_answered(worker: Worker, probe: str) -> bool:
    """Tell whether the application has answered, if only that it cannot."""
    question = worker.answers.get(probe)
    answer = (question and question.answer) or {}
    return not {"outcome", "status"}.isdisjoint(answer)


def _verdict_in(question: OpenQuestion) -> Verdict:
    answer = question.answer or {}
    if "outcome" not in answer:
        return _failure(health.ERROR_STALLED, "A worker could not evaluate the probe.")
    try:
        payload = {**json.loads(question.body)}
        details = payload.get("details", {})
        messages = {check: detail["messages"] for check, detail in details.items()}
        return Verdict(str(answer["outcome"]), int(answer["level"]), payload, messages)
    except (ValueError, KeyError, TypeError, AttributeError):
        return _failure(health.ERROR_STALLED, "A worker's answer cannot be read.")


def _failure(id_: str, sentence: str, level: int = CRITICAL) -> Verdict:
    status = {INFO: "info", CRITICAL: "critical"}[level]
    detail = {"status": status, "level": level, "messages": {id_: sentence}}
    payload = {"status": status, "checks": {LIFECYCLE: status}, "details": {LIFECYCLE: detail}}
    return Verdict(FAILED, level, payload, {LIFECYCLE: {id_: sentence}})


_ALIVE = Verdict(PASSED, 0, {"status": "ok", "checks": {}, "details": {}})
_STARTING = _failure(health.INFO_STARTING, "Starting: no worker is ready yet.", INFO)
_NOBODY = _failure(health.ERROR_STALLED, "No worker serves.")
_DRAINING = _failure(
    health.INFO_DRAINING, "Draining: requests are served, new ones should go elsewhere.", INFO
)
