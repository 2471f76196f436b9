"""What a heartbeat found: levels, results, and the body that an endpoint answers with."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django.health import FAILED, HEARTBEAT, PASSED
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.logging.text import well_formed

# The name of what the process says of itself, among the results.
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
    the log alone. `run` is the number of the run in this process, 0 for what the process says of
    itself. A result that is not `is_finished` speaks for a run that goes on; one that `is_pending`
    says only that it is too early to know. `timeout_seconds`, `fail_level` and `once` are the
    check's own, as `dockerflow_django.checks.check.Check` has them.
    """

    messages: tuple[CheckMessage, ...]
    duration_seconds: float
    run: int
    traceback: str = ""
    answered_at: float = field(default_factory=time.monotonic)
    timestamp: float = field(default_factory=time.time)
    is_finished: bool = True
    is_pending: bool = False
    timeout_seconds: float | None = None
    fail_level: int | None = None
    once: bool = False

    @property
    def level(self) -> int:
        """The worst level of the messages that are not silenced, 0 if there is none."""
        return worst(self.spoken)

    @property
    def spoken(self) -> tuple[CheckMessage, ...]:
        """The messages that ``SILENCED_SYSTEM_CHECKS`` leaves."""
        return tuple(message for message in self.messages if not message.is_silenced())

    @property
    def age_seconds(self) -> float:
        """How long ago the check answered."""
        return time.monotonic() - self.answered_at

    def passes(self, probe: str, fail_level: int = checks.ERROR) -> bool:
        """Tell whether the probe passes as far as this check goes.

        `fail_level` is the probe's, and counts if the check has none of its own.
        """
        if self.is_pending:
            return probe not in {"readiness", "startup"}
        if self.once and self.level:
            return False
        return self.level < (self.fail_level or fail_level)


@dataclass(frozen=True)
class Report:
    """One evaluation of the heartbeat or of a probe.

    A check has the same name in every report, and no other check has that name.
    """

    probe: str
    """``"heartbeat"``, ``"liveness"``, ``"readiness"`` or ``"startup"``."""

    results: dict[str, Result]

    passed: bool
    """Whether the heartbeat or the probe passes."""

    failing: frozenset[str] = frozenset()
    """The names of the checks because of which it fails."""

    @property
    def level(self) -> int:
        """The worst level of all messages, a number as in Django's checks; 0 without any."""
        return max((result.level for result in self.results.values()), default=0)

    @property
    def outcome(self) -> str:
        """``"passed"`` or ``"failed"``."""
        return PASSED if self.passed else FAILED

    def messages(self) -> dict[str, dict[str, str]]:
        """Return the texts of all messages: ``{name of the check: {id of the message: text}}``."""
        return {name: keyed(result.spoken) for name, result in self.results.items() if result.level}

    def payload(self, *, details: bool) -> dict[str, Any]:
        """Return the object that the endpoint answers with.

        :param details: whether to add the name, the status and the messages of each check.
        """
        payload = status_payload(self.level)
        if details:
            levels = {name: result.level for name, result in self.results.items()}
            payload["checks"] = {name: status_of(level) for name, level in levels.items()}
            payload["details"] = {
                name: _detail(self.results[name]) for name, level in levels.items() if level > 0
            }
        return payload


def checks_of(report: Report) -> dict[str, Result]:
    """Return the results without what the process says of itself."""
    return {name: result for name, result in report.results.items() if result.run}


def fails_as_expected(report: Report) -> bool:
    """Tell whether a probe fails only because the process starts, drains or is not ready."""
    failing = [report.results[name] for name in report.failing]
    is_probe = report.probe != HEARTBEAT
    return is_probe and not report.passed and all(map(_is_expected, failing))


def worst_first(report: Report) -> list[tuple[str, Result]]:
    """Return the results: those that fail the whole before the others, higher levels first."""
    return sorted(
        report.results.items(), key=lambda item: (item[0] not in report.failing, -item[1].level)
    )


def status_payload(level: int) -> dict[str, Any]:
    """Return the JSON object of an answer without details."""
    return {"status": status_of(level)}


def worst(messages: Iterable[CheckMessage]) -> int:
    """Return the highest level among the messages, 0 if there is none."""
    return max((message.level for message in messages), default=0)


def keyed(messages: Iterable[CheckMessage]) -> dict[str, str]:
    """Return all texts by id: a second of one id gets ``#2``, one without an id its level."""
    return {key: text_of(message.msg) for key, message in _by_key(messages)}


def hints_of(messages: Iterable[CheckMessage]) -> dict[str, str]:
    """Return the hints, by the same keys, of the messages that have one."""
    return {key: text_of(message.hint) for key, message in _by_key(messages) if message.hint}


def text_of(value: object) -> str:
    """Return what may be shown of a text of a check: no secrets, and what every encoding carries.

    A project's check may quote an exception, or the name of a file that is no UTF-8.
    """
    return well_formed(scrub(str(value)))


def _is_expected(result: Result) -> bool:
    """Tell whether the process starts, drains or is not ready, or a check still lets it wait.

    A check with `once` that only informs does: a database that is asked for its migrations is not
    up yet.
    """
    is_waiting = result.once or not result.run
    return result.is_pending or (is_waiting and result.level <= checks.INFO)


def _by_key(messages: Iterable[CheckMessage]) -> Iterator[tuple[str, CheckMessage]]:
    taken: set[str] = set()
    seen: dict[str, int] = {}
    for message in messages:
        key = name = well_formed(str(message.id or status_of(message.level)))
        while name in taken:  # an id may look like a numbered one
            seen[key] = seen.get(key, 1) + 1
            name = f"{key}#{seen[key]}"
        taken.add(name)
        yield name, message


def _detail(result: Result) -> dict[str, Any]:
    hints = hints_of(result.spoken)
    return {
        "status": status_of(result.level),
        "level": result.level,
        "messages": keyed(result.spoken),
        **({"hints": hints} if hints else {}),
        "duration_ms": round(result.duration_seconds * 1000, 3),
        "age_ms": round(result.age_seconds * 1000, 3),
    }
