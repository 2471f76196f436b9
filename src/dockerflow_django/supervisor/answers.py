"""What the probe port answers for a container: probes from what is known, metrics from a worker."""

import json
import time
from collections.abc import Mapping

from dockerflow_django.client.bearer_token import bears_token
from dockerflow_django.health import PROBES
from dockerflow_django.supervisor.channel import METRICS, Reply
from dockerflow_django.supervisor.known import OpenQuestion, Worker
from dockerflow_django.supervisor.probes import ContainerProbes, Verdict
from dockerflow_django.supervisor.settings import ContainerSettings

# A scrape's patience: Prometheus waits ten seconds unless told otherwise.
SCRAPE_SECONDS = 9.0
# A worker that says nothing for so long, not even to a ping, is left for the next one.
NEXT_WORKER_SECONDS = 3.0

LBHEARTBEAT = Reply(200, b"", "text/plain")
UNAVAILABLE = Reply(503, b'{"error": "No worker answers."}')

PROBE_PATHS = {f"/__heartbeat__/{probe}": probe for probe in PROBES}


class ContainerAnswers:
    """Answers a path by what the probes know."""

    def __init__(self, probes: ContainerProbes, settings: ContainerSettings) -> None:
        self._probes = probes
        self.settings = settings

    def __call__(self, path: str, headers: Mapping[str, str]) -> Reply | None:
        """Answer a path without its trailing slash; None stands for 404."""
        if path == "/__lbheartbeat__":
            return LBHEARTBEAT
        if path == "/__metrics__":
            return self._scrape(headers)
        probe = PROBE_PATHS.get(path)
        if probe is None:
            return None
        return reply_of(self._probes.verdict(probe), details=self._are_details_shown(headers))

    def _are_details_shown(self, headers: Mapping[str, str]) -> bool:
        bears = bears_token(headers.get("Authorization"), self.settings.token)
        return self.settings.shows_details or bears

    def _scrape(self, headers: Mapping[str, str]) -> Reply:
        """Ask one worker, and the next one if that is silent."""
        ends_at = time.monotonic() + SCRAPE_SECONDS
        arguments = {
            "accept": headers.get("Accept", ""),
            "accept_encoding": headers.get("Accept-Encoding", ""),
        }
        for worker in self._by_last_word():
            question = self._probes.pool.ask(worker, METRICS, **arguments)
            if self._wait(question, worker, ends_at):
                return _reply_in(question)
        return UNAVAILABLE

    def _by_last_word(self) -> list[Worker]:
        serving = [worker for worker in self._probes.pool.workers if worker.is_serving]
        return sorted(serving, key=lambda worker: worker.spoke_at or 0.0, reverse=True)

    def _wait(self, question: OpenQuestion, worker: Worker, ends_at: float) -> bool:
        """Wait for the answer as long as the worker says anything and there is time."""
        while (now := time.monotonic()) < ends_at:
            if question.is_over.wait(min(0.25, ends_at - now)):
                return question.answer is not None
            spoke_at = max(question.asked_at, worker.spoke_at or 0.0)
            if self._probes.pool.clock.seconds - spoke_at > NEXT_WORKER_SECONDS:
                return False
        return False


def reply_of(verdict: Verdict, *, details: bool) -> Reply:
    """Return the reply that tells of a verdict."""
    payload = verdict.payload
    if not details:
        payload = {"status": payload.get("status", "critical")}
    return Reply(503 if verdict.has_failed else 200, json.dumps(payload).encode())


def _reply_in(question: OpenQuestion) -> Reply:
    answer = question.answer or {}
    headers = dict(answer.get("headers", {}))
    content_type = headers.pop("Content-Type", "application/json")
    return Reply(int(answer.get("status", 503)), question.body, content_type, headers)
