"""From reports to HTML; needs no template engine of the project's, and no setting."""

import os
import re
import socket
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine, Template

from dockerflow_django.endpoints.page.changes import last_change
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result, hints_of, keyed, status_of

TEXT_LENGTH = 1_000
MESSAGES = 10


@dataclass(frozen=True)
class Row:
    """One line of the table of checks.

    The `name` is in parts, between which a line may break; a message is its key, text and hint.
    """

    name: tuple[str, ...]
    status: str
    fails: bool
    messages: tuple[tuple[str, str, str], ...]
    more: int
    took: str
    age: str
    since: str
    since_age: str
    is_first: bool


def render(reports: Sequence[Report], version: Mapping[str, Any], nonce: str) -> str:
    """Return the page; the first report is the heartbeat's, the others are the probes'."""
    heartbeat, *probes = reports
    results = {name: each for name, each in heartbeat.results.items() if name != LIFECYCLE}
    worst_first = sorted(
        results.items(), key=lambda item: (item[0] not in heartbeat.failing, -item[1].level)
    )
    context = {
        "nonce": nonce,
        "passed": heartbeat.passed,
        "title": _title(heartbeat),
        "rows": [_row(name, each, name in heartbeat.failing) for name, each in worst_first],
        "probes": [_probe(report) for report in probes],
        "version": [(str(key), _cut(str(value))) for key, value in version.items()],
        "now": _time(time.time()),
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
    }
    return str(_template().render(Context(context, use_l10n=False, use_tz=False)))


def _title(report: Report) -> str:
    number = len(report.results)
    if not number:
        return "Heartbeat passes: no check is configured"
    if report.passed:
        return f"Heartbeat passes: {number} of {number} checks pass"
    failing = len(report.failing)
    return f"Heartbeat fails: {failing} of {number} checks {'fails' if failing == 1 else 'fail'}"


def _row(name: str, result: Result, fails: bool) -> Row:
    change, texts = last_change(name), keyed(result.spoken)
    hints = hints_of(result.spoken)
    return Row(
        name=tuple(re.findall(r"[^_.]*[_.]?", name)),
        status=status_of(result.level),
        fails=fails,
        messages=tuple(
            (key, _cut(text), _cut(hints.get(key, "")))
            for key, text in list(texts.items())[:MESSAGES]
        ),
        more=max(0, len(texts) - MESSAGES),
        took=_duration(result.duration_seconds),
        age=_duration(result.age_seconds),
        since=_time(change.since) if change else "",
        since_age=_duration(time.time() - change.since) if change else "",
        is_first=change.is_first if change else True,
    )


def _probe(report: Report) -> dict[str, Any]:
    reasons = [
        " ".join(str(message.msg) for message in result.spoken) if name == LIFECYCLE else name
        for name, result in report.results.items()
        if name in report.failing
    ]
    return {"name": report.probe, "passed": report.passed, "reasons": [_cut(r) for r in reasons]}


def _cut(text: str) -> str:
    if len(text) <= TEXT_LENGTH:
        return text
    return f"{text[:TEXT_LENGTH]}… ({len(text) - TEXT_LENGTH} more characters in the JSON)"


def _duration(seconds: float) -> str:
    seconds = max(0.0, seconds)
    for limit, factor, unit in ((1, 1000, "ms"), (120, 1, "s"), (7200, 1 / 60, "min")):
        if seconds < limit:
            value = seconds * factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"  # noqa: PLR2004
    hours = seconds / 3600
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"  # noqa: PLR2004


def _time(timestamp: float) -> str:
    return datetime.fromtimestamp(timestamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@cache
def _template() -> Template:
    engine = Engine(dirs=[str(Path(__file__).parent)], autoescape=True)
    return engine.get_template("heartbeat.html")
