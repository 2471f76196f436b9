"""What a report adds to what is known of a check: for log lines, metrics and the page.

Probes share a check and not its results: one may hold on to a result that another has replaced. If
the last report counted, such a check would seem to change with every probe.
"""

import threading
from dataclasses import dataclass

from dockerflow_django.heartbeat.report import Report, Result

_Order = tuple[int, bool]
_NONE: _Order = (0, False)


@dataclass(frozen=True)
class Update:
    """A result that is not older than what was known of the check.

    `is_new` tells whether it says more than the last one, of a later run or at the run's end;
    `is_new_run` whether it is the first of its run.
    """

    name: str
    result: Result
    is_new: bool
    is_new_run: bool


class UpdateTracker:
    """Knows each check's newest run."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget them, as a forked child does."""
        self._lock = threading.Lock()
        self._newest: dict[str, _Order] = {}

    def updates(self, report: Report) -> list[Update]:
        """Enter the report, and return what it adds; a pending result adds nothing."""
        results = report.results.items()
        entered = (self._enter(name, each) for name, each in results if not each.is_pending)
        return [update for update in entered if update is not None]

    def _enter(self, name: str, result: Result) -> Update | None:
        order = (result.run, result.is_finished)
        with self._lock:
            before = self._newest.get(name, _NONE)
            # What the process says of itself is no run of a check.
            if result.run and order < before:
                return None
            self._newest[name] = order
        is_run = result.run > 0
        return Update(name, result, is_run and order > before, result.run > before[0])
