"""Who is told of a heartbeat: first the app's own listeners, then the project's receivers.

The app's own are called in place; they take microseconds. The project's receivers may take as long
as they like, so a thread of its own calls them, in order.
"""

import logging
import threading
from collections import deque
from contextlib import suppress
from functools import partial
from typing import Any

from django.dispatch import Signal

from dockerflow_django import signals
from dockerflow_django._state import keeps
from dockerflow_django.checks.connection import close_all
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.listeners import evaluated, outcome_changed
from dockerflow_django.heartbeat.report import Report

logger = logging.getLogger("dockerflow_django")

SignalCall = tuple[Signal, dict[str, Any]]

# If a receiver hangs, later notifications wait. Beyond this number the oldest is dropped.
MOST_WAITING = 100


class Announcer:
    """Knows what has been announced: every run once, and every change of an outcome."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget what was announced, and what waits to be; a forked child does."""
        self._lock = threading.RLock()  # a listener may ask for a heartbeat itself
        self._waiting: deque[list[SignalCall]] = deque()
        self._is_sending = False
        self._has_dropped = False
        self.reports: dict[str, Report] = {}

    def announce(self, report: Report, *, in_place: bool = False) -> None:
        """Tell of the report if it is new, without waiting for the project's receivers.

        With `in_place` they too have been called when this returns.
        """
        with self._lock:
            before = self.reports.get(report.probe)
            if before and not _is_new(report, before):
                return
            self.reports[report.probe] = report
            change = _change(report, before)
            _send(_own_calls(report, change))
            calls = _project_calls(report, change)
            if not in_place:
                self._queue(calls)
        if in_place:
            _send(calls)

    def _queue(self, calls: list[SignalCall]) -> None:
        if not any(signal.receivers for signal, _ in calls):
            return
        if len(self._waiting) >= MOST_WAITING:
            self._waiting.popleft()
            if not self._has_dropped:
                logger.error(
                    "A receiver of a heartbeat's signal hangs: %s notifications wait for it, and "
                    "the oldest are dropped from now on",
                    MOST_WAITING,
                )
            self._has_dropped = True
        self._waiting.append(calls)
        if not self._is_sending:
            with suppress(RuntimeError):  # no thread could be started: the next call tries again
                threads.start(partial(self._work, self._waiting), name="dockerflow-receivers")
                self._is_sending = True

    def _work(self, waiting: deque[list[SignalCall]]) -> None:
        while (calls := self._next(waiting)) is not None:
            try:
                _send(calls)
                close_all()
            except BaseException:
                logger.exception("A receiver of a heartbeat's signal tried to end the process")

    def _next(self, waiting: deque[list[SignalCall]]) -> list[SignalCall] | None:
        with self._lock:
            if waiting is not self._waiting:  # reset meanwhile: what is new has its own thread
                return None
            self._is_sending = bool(self._waiting)
            self._has_dropped &= self._is_sending
            return self._waiting.popleft() if self._is_sending else None


def _change(report: Report, before: Report | None) -> dict[str, Any] | None:
    """Return the arguments that tell of a change; passing from the start is none."""
    old = before.outcome if before else None
    if old == report.outcome or (before is None and report.passed):
        return None
    return {"probe": report.probe, "old": old, "new": report.outcome, "report": report}


def _own_calls(report: Report, change: dict[str, Any] | None) -> list[SignalCall]:
    calls: list[SignalCall] = [(evaluated, {"report": report})]
    return calls if change is None else [*calls, (outcome_changed, change)]


def _project_calls(report: Report, change: dict[str, Any] | None) -> list[SignalCall]:
    signal = signals.heartbeat_passed if report.passed else signals.heartbeat_failed
    arguments = {"level": report.level, "probe": report.probe, "report": report}
    calls: list[SignalCall] = [(signal, arguments)]
    return calls if change is None else [*calls, (signals.heartbeat_changed, change)]


def _is_new(report: Report, before: Report) -> bool:
    """Tell whether a check has run again, or the same runs have another outcome.

    The process's own life, which is no run, may change it. A probe that runs nothing has no run to
    share: each answer is one heartbeat.
    """
    runs, known = _runs(report), _runs(before)
    if not runs or any(run > known.get(name, (0, False)) for name, run in runs.items()):
        return True
    return runs == known and report.outcome != before.outcome


def _runs(report: Report) -> dict[str, tuple[int, bool]]:
    results = report.results.items()
    return {name: (result.run, result.is_finished) for name, result in results if result.run}


def _send(calls: list[SignalCall]) -> None:
    for signal, arguments in calls:
        signal.send_robust(Report, **arguments)


announcer = Announcer()
keeps("announcer")(announcer.reset)
