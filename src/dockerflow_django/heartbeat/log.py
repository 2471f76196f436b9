"""The log lines about health: one for every change of a check's state, never one a probe."""

import logging
import threading
from typing import Any

from dockerflow_django._state import keeps
from dockerflow_django.checks.messages import cause_of
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result, status_of, text_of
from dockerflow_django.heartbeat.updates import UpdateTracker
from dockerflow_django.logging.delivery import log

logger = logging.getLogger("dockerflow_django.checks")


def log_changes(report: Report, **kwargs: Any) -> None:
    """Write one record for each check whose level or messages differ from the last time."""
    for update in _tracker.updates(report):
        # What the process says of itself differs from probe to probe.
        name = update.name if update.result.run else f"{update.name} ({report.probe})"
        _log_change(name, update.result)
    lifecycle = f"{LIFECYCLE} ({report.probe})"
    if (lifecycle, None) in _known and LIFECYCLE not in report.results:
        _log_change(lifecycle, Result((), 0.0, 0))


def _log_change(name: str, result: Result) -> None:
    state = (result.level, *((message.id, message.level) for message in result.spoken))
    # Two probes may give one check different time, and so judge one run differently.
    key = (name, result.timeout_seconds)
    with _lock:
        before = _known.get(key, (0,))
        # A run that goes on says less than the late one before it.
        if state == before or (not result.is_finished and set(state[1:]) < set(before[1:])):
            return
        _known[key] = state
    _log(name, result)


@keeps("_known", "_lock", "_tracker")
def reset() -> None:
    """Forget the states, as a forked child does."""
    global _lock, _known
    _lock, _known = threading.Lock(), {}
    _tracker.reset()


_tracker = UpdateTracker()
_lock = threading.Lock()
_known: dict[tuple[str, float | None], tuple[object, ...]] = {}


def _log(name: str, result: Result) -> None:
    extra = {"check": name, "status": status_of(result.level)}
    if not result.level:
        log(logger, logging.INFO, "Check %s is ok again.", name, extra=extra)
        return
    texts = " ".join(map(_text, result.spoken))
    traceback = f"\n{text_of(result.traceback)}" if result.traceback else ""
    log(logger, result.level, "Check %s: %s%s", name, text_of(texts), traceback, extra=extra)


def _text(message: Any) -> str:
    cause = cause_of(message)
    name = f"{message.id}: " if message.id else ""
    return f"{name}{message.msg}" + (f" ({cause})" if cause else "")
