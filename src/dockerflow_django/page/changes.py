"""Since when each check answers what it answers, as this process has seen it."""

import threading
from dataclasses import dataclass
from typing import Any

from dockerflow_django import signals
from dockerflow_django.heartbeat.report import Report, status_of


@dataclass(frozen=True)
class Change:
    """The state of a check, and the time (seconds since 1970) of the answer that began it.

    `is_first` says that it was so when the process first asked.
    """

    status: str
    since: float
    run: int
    is_first: bool


def last_change(name: str) -> Change | None:
    """Return the last change of the check of that name, None where it has not been asked."""
    return _changes.get(name)


def note(report: Report, **kwargs: Any) -> None:
    """Take notice of what a heartbeat found."""
    with _lock:
        for name, result in report.results.items():
            status, run = status_of(result.level), abs(result.run)
            before = _changes.get(name)
            # A probe may have a result of its own that is older than what is known.
            if before is None or (status != before.status and run >= before.run):
                _changes[name] = Change(status, result.timestamp, run, before is None)


def reset() -> None:
    """Forget what was seen."""
    _changes.clear()


_lock = threading.Lock()
_changes: dict[str, Change] = {}

signals.heartbeat_passed.connect(note, dispatch_uid="dockerflow_django.page.passed")
signals.heartbeat_failed.connect(note, dispatch_uid="dockerflow_django.page.failed")
