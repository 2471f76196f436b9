"""From reports to HTML; needs no template engine of the project's, and no setting."""

import os
import socket
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from django.core import checks
from django.template import Context, Engine, Template

from dockerflow_django.endpoints.page.rows import (
    cut,
    failing_rows,
    join,
    parts_of,
    passing_rows,
    sign_of,
)
from dockerflow_django.heartbeat.report import Report, checks_of, fails_as_expected, text_of
from dockerflow_django.heartbeat.sentence import sentence_of

REASONS = 3


def render(
    reports: Sequence[Report],
    version: Mapping[str, Any] | str,
    nonce: str,
    refresh_seconds: int | None = None,
) -> str:
    """Return the page; the first report is the heartbeat's, the others are the probes'.

    `version` is the version object, or the sentence that says why there is none.
    Without `refresh_seconds` the page stays as it is until somebody asks again.
    """
    heartbeat, *probes = reports
    title = _title(heartbeat, probes)
    told, passing = passing_rows(heartbeat)
    context = {
        "nonce": nonce,
        "refresh": refresh_seconds,
        "outcome": _outcome(reports),
        "title": title,
        "heading": parts_of(title),
        "failing": failing_rows(heartbeat, probes),
        "told": told,
        "passing": passing,
        "probes": [_probe(report) for report in probes],
        **_version(version),
        "now": datetime.now(UTC),
        "host": socket.gethostname(),
        "pid": str(os.getpid()),
    }
    return str(_template().render(Context(context, use_l10n=False, use_tz=False)))


def _outcome(reports: Sequence[Report]) -> str:
    """Return the class of the title: a probe that fails alone is less than the heartbeat."""
    if not reports[0].passed:
        return "failed"
    return "passed" if all(report.passed for report in reports) else "warning"


def _title(heartbeat: Report, probes: Sequence[Report]) -> str:
    sentence = sentence_of(heartbeat)
    title = sentence[0].upper() + sentence[1:]
    failing = [report.probe for report in probes if not report.passed]
    if not heartbeat.passed or not failing:
        return title
    return f"{title}, but {join(failing)} {'fails' if len(failing) == 1 else 'fail'}"


def _probe(report: Report) -> dict[str, Any]:
    reasons = list(_reasons(report))
    is_expected = fails_as_expected(report)
    outcome = "passed" if report.passed else "warning" if is_expected else "failed"
    return {
        "name": report.probe,
        "verb": "passes" if report.passed else "fails",
        "outcome": outcome,
        "sign": sign_of({"passed": 0, "warning": checks.WARNING}.get(outcome, checks.ERROR)),
        "reasons": [parts_of(cut(reason)) for reason in reasons[:REASONS]],
        "more": max(0, len(reasons) - REASONS),
    }


def _reasons(report: Report) -> Iterator[str]:
    """Yield what the process says of itself, then the names of the checks that fail the probe."""
    results = checks_of(report)
    for name in report.failing - results.keys():
        yield from (text_of(message.msg) for message in report.results[name].spoken)
    yield from (name for name in results if name in report.failing)


def _version(version: Mapping[str, Any] | str) -> dict[str, Any]:
    if isinstance(version, str):
        return {"no_version": version}
    return {"version": [(str(key), cut(str(value))) for key, value in version.items()]}


@cache
def _template() -> Template:
    engine = Engine(dirs=[str(Path(__file__).parent)], autoescape=True)
    return engine.get_template("heartbeat.html")
