"""One evaluation of a probe: its checks, where the process is in its life, and the signals."""

import asyncio
import os
import threading
from collections import deque
from collections.abc import Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.core import checks
from django.core.signals import setting_changed
from django.db import connections
from django.dispatch import Signal

from dockerflow_django import lifecycle, signals
from dockerflow_django.checks import migrations
from dockerflow_django.checks.connection import is_testing
from dockerflow_django.checks.registry import HEARTBEAT, Check, configured, named
from dockerflow_django.conf import conf
from dockerflow_django.heartbeat import runner
from dockerflow_django.heartbeat.report import Report, Result

LIFECYCLE = "lifecycle"
News = tuple[Signal, dict[str, Any]]


def evaluate(probe: str = HEARTBEAT, *, patient: bool = False, fresh: bool = False) -> Report:
    """Run the checks of the probe and return what they found, within ``DOCKERFLOW_CHECK_TIMEOUT``.

    A `patient` caller waits as long as a check has asked for, a `fresh` one reuses no result.
    Inside an atomic block, as in a `TestCase`, the checks run in this thread, so that they see what
    the test sees.
    """
    plan = _Plan(probe)
    if _is_atomic():
        results = runner.gather_here(plan.checks)
    else:
        cap = None if patient else conf.DOCKERFLOW_CHECK_TIMEOUT
        results = runner.gather(plan.checks, cap, fresh=fresh)
    report = plan.report(results)
    for signal, arguments in _announcer.news(report):
        signal.send_robust(Report, **arguments)
    return report


async def aevaluate(probe: str = HEARTBEAT) -> Report:
    """Do the same without blocking the event loop."""
    if is_testing():
        # Only the thread of the test knows whether it is inside an atomic block.
        return await sync_to_async(evaluate)(probe)
    plan = _Plan(probe)
    report = plan.report(await runner.agather(plan.checks, conf.DOCKERFLOW_CHECK_TIMEOUT))
    if news := _announcer.news(report):
        task = asyncio.create_task(_send(news))
        _sending.add(task)
        task.add_done_callback(_sending.discard)
        await asyncio.shield(task)  # a client that hangs up takes no news with it
    return report


async def _send(news: "list[News]") -> None:
    for signal, arguments in news:
        await signal.asend_robust(Report, **arguments)


def last_report(probe: str) -> Report | None:
    """Return what the probe's last announced run found in this process, None before the first."""
    return _announcer.reports.get(probe)


def reset() -> None:
    """Forget what was found and announced, and begin a new life."""
    runner.reset()
    migrations.reset()
    lifecycle.reset()
    _announcer.reset()


class _Plan:
    """What to run for one probe: its own checks and, while starting, those of startup."""

    def __init__(self, probe: str) -> None:
        self.probe = probe
        self.own = configured(probe)
        self.starting = _is_starting(probe)
        self.checks = [*self.own, *(configured("startup") if self.starting else ())]

    def report(self, results: Sequence[Result]) -> Report:
        own, startup = results[: len(self.own)], results[len(self.own) :]
        if self.starting and all(result.level < checks.ERROR for result in startup):
            lifecycle.lifecycle.has_started = True
        fail_level = (
            conf.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL if self.probe == HEARTBEAT else checks.ERROR
        )
        passed = all(_passes(*pair, fail_level) for pair in zip(self.own, own, strict=True))
        names = (name for name, _ in named(self.own))
        by_name = dict(zip(names, own, strict=True))
        notices = tuple(lifecycle.lifecycle.notices(self.probe))
        if notices:
            by_name[LIFECYCLE] = Result(notices, 0.0, 0)
        return Report(self.probe, by_name, passed and not notices)


def _is_starting(probe: str) -> bool:
    return probe in {"readiness", "startup"} and not lifecycle.lifecycle.has_started


def _passes(check: Check, result: Result, fail_level: int) -> bool:
    return result.level < fail_level and not (check.once and result.level)


class _Announcer:
    """Knows what has been announced: every run once, and an outcome when it is another one."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self._lock = threading.Lock()
        self._runs: dict[str, deque[list[int]]] = {}
        self.reports: dict[str, Report] = {}

    def news(self, report: Report) -> list[News]:
        """Return the signals to send for this report; one that only reused results is no news."""
        runs = [result.run for result in report.results.values()]
        with self._lock:
            known = self._runs.setdefault(report.probe, deque(maxlen=8))
            if runs and runs in known:
                return []
            known.append(runs)
            before = self.reports.get(report.probe)
            self.reports[report.probe] = report
        common = {"probe": report.probe, "report": report}
        signal = signals.heartbeat_passed if report.passed else signals.heartbeat_failed
        news: list[News] = [(signal, {"level": report.level, **common})]
        old = before.outcome if before else None
        if old != report.outcome and (before or not report.passed):
            news.append((signals.heartbeat_changed, {"old": old, "new": report.outcome, **common}))
        return news


_announcer = _Announcer()
_sending: set[asyncio.Task[None]] = set()
os.register_at_fork(after_in_child=_announcer.reset)


def _is_atomic() -> bool:
    return any(each.in_atomic_block for each in connections.all(initialized_only=True))


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting in {"CACHES", "DATABASES", "INSTALLED_APPS"} or setting.startswith("DOCKERFLOW_"):
        reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.heartbeat")
