"""What a report adds to what is known: for log lines, metrics and pages that go by a check's name.

Two probes may have two different checks of one name, and one of them may go on with what it found
once. Whoever kept the last result of a name would see that check change with every probe.
"""

import threading
from dataclasses import dataclass

from dockerflow_django.checks.registry import Check, configured, named
from dockerflow_django.health import HEARTBEAT
from dockerflow_django.heartbeat.report import Report, Result


@dataclass(frozen=True)
class Update:
    """A result that is not older than what was known of the check.

    `name` is what ``/__heartbeat__`` calls the check; one that is a probe's own is named with the
    probe. `run_before` is the run that was known, 0 for none.
    """

    name: str
    result: Result
    run_before: int


class UpdateTracker:
    """Keeps the number of each check's newest run."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget them, as a forked child does."""
        self._lock = threading.Lock()
        self._runs: dict[str, int] = {}

    def updates(self, report: Report) -> list[Update]:
        """Enter the report, and return what it adds."""
        names = names_of(report.probe)
        found = [(names.get(name, name), result) for name, result in report.results.items()]
        return [update for name, result in found if (update := self._enter(name, result))]

    def _enter(self, name: str, result: Result) -> Update | None:
        with self._lock:
            before = self._runs.get(name, 0)
            # Where the process is in its life is no run of a check.
            if result.run and abs(result.run) < abs(before):
                return None
            self._runs[name] = result.run
        return Update(name, result, before)


def names_of(probe: str) -> dict[str, str]:
    """Map the names in the probe's reports to names that mean the same check everywhere."""
    own = dict(named(configured(probe)))
    if probe == HEARTBEAT:
        return {name: name for name in own}
    known = dict(named(configured(HEARTBEAT)))
    return {
        name: f"{name} ({probe})" if name in known and _differ(check, known[name]) else name
        for name, check in own.items()
    }


def _differ(one: Check, other: Check) -> bool:
    """Tell whether the two ask different things; how often they do is no difference."""
    return one.key[:2] != other.key[:2]
