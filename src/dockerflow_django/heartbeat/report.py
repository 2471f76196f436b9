"""What a heartbeat found: levels, results, and the body that an endpoint answers with."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

# What the process says of itself stands among the results under this name.
LIFECYCLE = "lifecycle"
STATUSES = {
    0: "ok",
    checks.DEBUG: "debug",
    checks.INFO: "info",
    checks.WARNING: "warning",
    checks.ERROR: "error",
    checks.CRITICAL: "critical",
}


def status_of(level: int) -> str:
    """Return the text of a level; one between two names takes the lower name."""
    below = [known for known in STATUSES if known <= level]
    return STATUSES[max(below, default=0)]


@dataclass(frozen=True)
class Result:
    """What one run of one check answered.

    `duration_seconds` is how long it took, or has taken so far; `answered_at` is on the monotonic
    clock, `timestamp` in seconds since 1970. `traceback` is the text of what the check raised, for
    the log alone. `run` is the number of the run in this process, negative while it
    has not ended, and 0 for what the process says of itself.
    """

    messages: tuple[CheckMessage, ...]
    duration_seconds: float
    run: int
    traceback: str = ""
    answered_at: float = field(default_factory=time.monotonic)
    timestamp: float = field(default_factory=time.time)

    @property
    def level(self) -> int:
        """The worst level of the messages that are not silenced, 0 where there is none."""
        return worst(self.spoken)

    @property
    def spoken(self) -> tuple[CheckMessage, ...]:
        """The messages that ``SILENCED_SYSTEM_CHECKS`` leaves."""
        return tuple(message for message in self.messages if not message.is_silenced())

    @property
    def age_seconds(self) -> float:
        """How long ago the check answered."""
        return time.monotonic() - self.answered_at


@dataclass(frozen=True)
class Report:
    """One heartbeat: the result of every check by its name, and whether the whole passed."""

    probe: str
    results: dict[str, Result]
    passed: bool

    @property
    def level(self) -> int:
        """The worst level of all results."""
        return max((result.level for result in self.results.values()), default=0)

    @property
    def outcome(self) -> str:
        """``"passed"`` or ``"failed"``."""
        return "passed" if self.passed else "failed"

    def payload(self, *, details: bool) -> dict[str, Any]:
        """Return the JSON object of the answer; `details` adds each check's name and messages."""
        payload: dict[str, Any] = {"status": status_of(self.level)}
        if details:
            levels = {name: result.level for name, result in self.results.items()}
            payload["checks"] = {name: status_of(level) for name, level in levels.items()}
            payload["details"] = {
                name: _detail(self.results[name]) for name, level in levels.items() if level > 0
            }
        return payload


def worst(messages: Iterable[CheckMessage]) -> int:
    """Return the highest level among the messages, 0 where there is none."""
    return max((message.level for message in messages), default=0)


def keyed(messages: Iterable[CheckMessage]) -> dict[str, str]:
    """Return all texts by id: a second of one id gets ``#2``, one without an id its level."""
    texts: dict[str, str] = {}
    seen: dict[str, int] = {}
    for message in messages:
        key = name = str(message.id or status_of(message.level))
        while name in texts:  # an id may look like a numbered one
            seen[key] = seen.get(key, 1) + 1
            name = f"{key}#{seen[key]}"
        texts[name] = str(message.msg)
    return texts


def _detail(result: Result) -> dict[str, Any]:
    return {
        "status": status_of(result.level),
        "level": result.level,
        "messages": keyed(result.spoken),
        "duration_ms": round(result.duration_seconds * 1000, 3),
        "age_ms": round(result.age_seconds * 1000, 3),
    }
