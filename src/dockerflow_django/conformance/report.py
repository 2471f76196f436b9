"""Tell what was found: a line for each requirement, or JSON."""

from __future__ import annotations

import json
import sys
from collections import Counter

from dockerflow_django.conformance.requirement import Result, Status
from dockerflow_django.logging.scrubbing import scrub

STATUSES: tuple[Status, ...] = ("ok", "fail", "warn", "skip")


def has_passed(results: list[Result], *, strict: bool) -> bool:
    """Tell whether no `must` fails, and under strict no `should` either."""
    wrong = {"fail", "warn"} if strict else {"fail"}
    return not any(result.status in wrong for result in results)


def lines(results: list[Result]) -> list[str]:
    """Return a line for each result, and one that counts them."""
    counts = Counter(result.status for result in results)
    total = ", ".join(f"{counts[status]} {status}" for status in STATUSES)
    return [*map(_line, results), total]


def painted(line: str) -> str:
    """Return a line with its first word in the colours of Django's commands, on a terminal."""
    status, _, rest = line.partition(" ")
    if status not in _ROLES or not (sys.stdout and sys.stdout.isatty()):
        return line
    # Imported late: without a terminal nothing here needs Django.
    from django.core.management.color import color_style

    return f"{getattr(color_style(), _ROLES[status])(status)} {rest}"


_ROLES = {"ok": "SUCCESS", "fail": "ERROR", "warn": "WARNING", "skip": "NOTICE"}


def as_json(results: list[Result], errors: list[str], *, strict: bool) -> str:
    """Return everything as one JSON object."""
    return json.dumps(
        {
            "passed": has_passed(results, strict=strict) and not errors,
            "strict": strict,
            "results": list(map(_fields, results)),
            "errors": errors,
        },
        indent=2,
    )


def _line(result: Result) -> str:
    requirement = result.requirement
    mend = f"; {requirement.mend}" if result.status in {"fail", "warn"} else ""
    return (
        f"{result.status} {result.subject}: {requirement.text}: {scrub(result.finding.seen)}{mend}"
        f" [{requirement.level}, {requirement.source}]"
    )


def _fields(result: Result) -> dict[str, str]:
    requirement = result.requirement
    return {
        "status": result.status,
        "subject": result.subject,
        "requirement": requirement.name,
        "level": requirement.level,
        "text": requirement.text,
        "source": requirement.source,
        "seen": scrub(result.finding.seen),
        "mend": requirement.mend,
    }
