"""What the probe port says of a container: the worst of what its workers answer.

The parent itself answers while there is no worker yet, and for a worker that does not answer.
"""

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any

from dockerflow_django.client import drain_marker
from dockerflow_django.health import FAILED, PASSED, PROBES
from dockerflow_django.supervisor.channel import DRAIN, METRICS, Crew, Member, News, Reply

LBHEARTBEAT = Reply(200, b"", "text/plain")
ALIVE = Reply(200, b'{"status": "ok"}')
STARTING = Reply(503, b'{"status": "info"}')
SILENT = Reply(503, b'{"status": "critical"}')
# A worker answers this by itself, without a check unless the project has added one.
PROMPT_SECONDS = 0.5
# On top of the deadline of the checks: the way to the worker and back.
GRACE_SECONDS = 0.15
# For telling the workers that draining has begun: one that is busy hears it all the same.
TELL_SECONDS = 1.0

_ANY_WORKER = ("version", METRICS)
_PATHS = {
    "/__heartbeat__": "heartbeat",
    "/__version__": "version",
    "/__metrics__": METRICS,
    **{f"/__heartbeat__/{probe}": probe for probe in PROBES},
}

logger = logging.getLogger("dockerflow_django")

Messages = dict[str, dict[str, str]]
# Takes the probe, the new outcome, the messages, and whether it is an error or only news.
OnChange = Callable[[str, str, Messages, bool], None]


class CrewProbes:
    """Asks the workers, and knows the outcome of each probe."""

    def __init__(self, check_seconds: float) -> None:
        """Take `check_seconds`, the time that a worker's checks may take."""
        self.crew = Crew(self._hear)
        self.check_seconds = check_seconds
        self.on_change: OnChange = _nobody
        self.log: Any = logger
        self._lock = threading.Lock()
        self._silent: set[Member] = set()
        self._found: dict[str, dict[Member, tuple[str, Messages, bool]]] = {}
        self._outcomes: dict[str, str] = {}

    def answer(self, path: str) -> Reply | None:
        """Answer a path as the application would; None where it has no such endpoint."""
        if path == "/__lbheartbeat__":
            return LBHEARTBEAT
        question = _PATHS.get(path)
        return None if question is None else self.ask(question)

    def ask(self, question: str) -> Reply:
        """Ask the workers, and return the worst answer."""
        with self._lock:
            silent = frozenset(self._silent)
        # A kubelet waits one second: it is not spent on a worker that was silent the last time.
        replies = self.crew.ask(question, self._seconds(question), impatient_with=silent)
        for member, found in replies.items():
            member.has_answered |= found is not None
            if not member.has_answered:
                replies[member] = _starting(question)
                continue
            self._note(member, silent=found is None)
            # Every life begins with starting; that is no outcome.
            if question in PROBES and not (found and found.is_early):
                self._keep(question, member, found)
        if question in PROBES:
            self._announce(question)
        if not replies:
            return _starting(question)
        answers = [found or SILENT for found in replies.values()]
        if question in _ANY_WORKER:
            return min(answers, key=lambda found: found.status)
        return max(answers, key=lambda found: found.status)

    def drain(self, seconds: float, path: str | None) -> float:
        """Have the workers drain, and return how many of the seconds are left.

        They are counted from whoever began it: this call, or who left the marker at `path`.
        """
        began = None if path is None else drain_marker.draining_since(path)
        self.crew.ask(DRAIN, TELL_SECONDS)
        return seconds if began is None else max(0.0, seconds - (time.monotonic() - began))

    def gone(self, member: Member) -> None:
        """Forget a worker that has ended."""
        self.crew.gone(member)
        with self._lock:
            self._silent.discard(member)
            for found in self._found.values():
                found.pop(member, None)

    def _seconds(self, question: str) -> float:
        if question in {"liveness", "version"}:
            return PROMPT_SECONDS
        return self.check_seconds + GRACE_SECONDS

    def _note(self, member: Member, *, silent: bool) -> None:
        with self._lock:
            if silent == (member in self._silent):
                return
            self._silent ^= {member}
        if silent:
            self.log.error("Worker %s (pid %s) does not answer.", member.number, member.pid)
        else:
            self.log.info("Worker %s (pid %s) answers again.", member.number, member.pid)

    def _keep(self, probe: str, member: Member, found: Reply | None) -> None:
        """Keep the outcome of one worker; the messages are those that the worker told, if any."""
        with self._lock:
            known = self._found.setdefault(probe, {})
            if found is None:
                text = f"Worker {member.number} does not answer."
                known[member] = (FAILED, {"lifecycle": {"critical": text}}, True)
                return
            outcome = PASSED if found.status < 400 else FAILED  # noqa: PLR2004 - HTTP's bound
            if known.get(member, ("",))[0] != outcome:
                known[member] = (outcome, _messages_in(found), _is_error(found))

    def _hear(self, member: Member, news: News) -> None:
        """Take what a worker tells of a probe that somebody asked it on its own port."""
        probe = news["probe"]
        if probe in PROBES:
            with self._lock:
                known = self._found.setdefault(probe, {})
                known[member] = (news["new"], news["messages"], news["is_error"])
            self._announce(probe)

    def _announce(self, probe: str) -> None:
        with self._lock:
            known = list(self._found.get(probe, {}).values())
            if not known:
                return
            failed = [each for each in known if each[0] == FAILED]
            outcome = FAILED if failed else PASSED
            before = self._outcomes.get(probe)
            messages, is_error = (failed[0][1], failed[0][2]) if failed else ({}, False)
            self._outcomes[probe] = outcome
        # As with the signal: that a probe passes the first time is no change.
        if outcome != before and (before is not None or failed):
            self.on_change(probe, outcome, messages, is_error)


def _starting(question: str) -> Reply:
    """Answer for a worker that is not there yet, or has not got round to its first answer."""
    return ALIVE if question == "liveness" else STARTING


def _nobody(probe: str, outcome: str, messages: Messages, is_error: bool) -> None:
    """Tell nobody: there is no webhook."""


def _messages_in(found: Reply) -> Messages:
    """Return the messages where the answer may hold them."""
    try:
        details = json.loads(found.body).get("details", {})
        return {name: dict(detail["messages"]) for name, detail in details.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return {}


def _is_error(found: Reply) -> bool:
    try:
        return json.loads(found.body)["status"] in {"error", "critical"}
    except (ValueError, KeyError, TypeError):
        return True
