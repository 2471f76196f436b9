"""The rows of the page's tables: each check as people read it."""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from django.core import checks

from dockerflow_django.endpoints.page.changes import Change, last_change
from dockerflow_django.heartbeat.report import (
    STATUSES,
    Report,
    Result,
    checks_of,
    hints_of,
    keyed,
    status_of,
    worst_first,
)

TEXT_LENGTH = 1_000
MESSAGES = 10

Message = tuple[str, tuple[str, ...], tuple[str, ...]]


@dataclass(frozen=True)
class Row:
    """One check.

    The `name` is in parts, between which a line may break; so are a message's text and hint, which
    follow its id.
    `asked_by` names the probes of a check that the heartbeat does not ask.
    """

    name: tuple[str, ...]
    status: str
    sign: str
    fails: bool
    asked_by: str
    messages: tuple[Message, ...]
    more: int
    took: str
    age: str
    since: datetime | None
    lasts: str


def failing_rows(heartbeat: Report, probes: Sequence[Report]) -> list[Row]:
    """Return what fails, the worst first: the heartbeat's checks, then those of probes alone."""
    rows = [_row(n, each) for n, each in worst_first(heartbeat) if n in heartbeat.failing]
    alone: dict[str, list[str]] = {}
    for report in probes:
        for name in report.failing & checks_of(report).keys() - checks_of(heartbeat).keys():
            alone.setdefault(name, []).append(report.probe)
    found = {
        name: report.results[name] for report in probes for name in alone if name in report.results
    }
    names = sorted(alone, key=lambda name: -found[name].level)
    return rows + [_row(name, found[name], asked_by=join(alone[name])) for name in names]


def passing_rows(heartbeat: Report) -> tuple[list[Row], list[Row]]:
    """Return the checks that pass: those with a message, the worst first, and those without."""
    passing = [item for item in worst_first(heartbeat) if item[0] not in heartbeat.failing]
    told = [_row(name, result, fails=False) for name, result in passing if result.level]
    return told, [_row(name, each, fails=False) for name, each in passing if not each.level]


def parts_of(text: str) -> tuple[str, ...]:
    """Cut a text where a line may break inside a word: behind the underscores and dots of names."""
    return tuple(re.split(r"(?<=[_.])(?=\w)", text))


def cut(text: str) -> str:
    """Shorten a text that is longer than a page can hold."""
    if len(text) <= TEXT_LENGTH:
        return text
    return f"{text[:TEXT_LENGTH]}… ({len(text) - TEXT_LENGTH} more characters in the JSON)"


def join(names: Sequence[str]) -> str:
    """Join names as a sentence does."""
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def duration(seconds: float) -> str:
    """Write a time with two digits or so, in the unit that suits."""
    seconds = max(0.0, seconds)
    for limit, factor, unit in ((1, 1000, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
        if seconds < limit:
            value = seconds * factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"  # noqa: PLR2004
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004


def sign_of(level: int) -> str:
    """Return the id of the picture that stands for a level, in shape and not in colour."""
    if level >= checks.ERROR:
        return "cross"
    if level >= checks.WARNING:
        return "triangle"
    return "letter" if level else "tick"


def _row(name: str, result: Result, *, fails: bool = True, asked_by: str = "") -> Row:
    change = last_change(name)
    messages = _messages(result)
    return Row(
        name=parts_of(name),
        status=status_of(result.level),
        sign=sign_of(result.level),
        fails=fails,
        asked_by=asked_by,
        messages=messages[:MESSAGES],
        more=max(0, len(messages) - MESSAGES),
        took=duration(result.duration_seconds),
        age=duration(result.age_seconds),
        since=datetime.fromtimestamp(change.since, UTC) if change else None,
        lasts=_lasts(change) if change else "",
    )


def _messages(result: Result) -> tuple[Message, ...]:
    """Return id, text and hint of each message; what has no id is keyed by its level."""
    hints, levels = hints_of(result.spoken), set(STATUSES.values())
    return tuple(
        (
            "" if key.partition("#")[0] in levels else key,
            parts_of(cut(text)),
            parts_of(cut(hints[key])) if key in hints else (),
        )
        for key, text in keyed(result.spoken).items()
    )


def _lasts(change: Change) -> str:
    age = time.time() - change.since
    if age < 1:
        return "under 1 s"
    return f"at least {duration(age)}" if change.is_first else duration(age)
