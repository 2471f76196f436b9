"""Since when each check answers what it answers, as this process has seen it."""

from dataclasses import dataclass
from typing import Any

from dockerflow_django._state import keeps
from dockerflow_django.heartbeat.report import Report, status_of
from dockerflow_django.heartbeat.updates import UpdateTracker


@dataclass(frozen=True)
class Change:
    """The state of a check, and the time (seconds since 1970) of the answer that began it.

    `is_first` says that it was so when the process first asked.
    """

    status: str
    since: float
    is_first: bool


def last_change(name: str) -> Change | None:
    """Return the last change of the check of that name, None if it has not been asked."""
    return _changes.get(name)


def note(report: Report, **kwargs: Any) -> None:
    """Take notice of what a heartbeat found."""
    for update in _tracker.updates(report):
        status = status_of(update.result.level)
        before = _changes.get(update.name)
        if before is None or status != before.status:
            _changes[update.name] = Change(status, update.result.timestamp, before is None)


@keeps("_changes", "_tracker")
def reset() -> None:
    """Forget what was seen."""
    _tracker.reset()
    _changes.clear()


_tracker = UpdateTracker()
_changes: dict[str, Change] = {}
