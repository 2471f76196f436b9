"""One evaluation of a probe: its checks, and where the process is in its life."""

import asyncio
import time
from collections.abc import Sequence
from concurrent.futures import wait

from asgiref.sync import sync_to_async
from django.core import checks
from django.core.signals import setting_changed
from django.db import connections

from dockerflow_django import lifecycle
from dockerflow_django.checks import migrations
from dockerflow_django.checks.connection import is_testing
from dockerflow_django.checks.registry import Check, configured, named
from dockerflow_django.conf import conf
from dockerflow_django.health import HEARTBEAT
from dockerflow_django.heartbeat import runner
from dockerflow_django.heartbeat.announcer import announcer
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result

# Of the tenth of a second that an answer may take beyond the timeout.
SHORTEST_WAIT_SECONDS = 0.05


def evaluate(probe: str = HEARTBEAT, *, patient: bool = False, fresh: bool = False) -> Report:
    """Run the checks of the probe and return what they found, within ``DOCKERFLOW_CHECK_TIMEOUT``.

    A `patient` caller waits as long as a check has asked for, a `fresh` one reuses no result.
    Inside an atomic block, as in a `TestCase`, the checks run in this thread, so that they see what
    the test sees.
    """
    began = time.monotonic()
    plan = _Plan(probe)
    if _is_atomic():
        results = runner.gather_here(plan.checks)
    else:
        cap = None if patient else conf.DOCKERFLOW_CHECK_TIMEOUT
        results = runner.gather(plan.checks, cap, fresh=fresh)
    report = plan.report(results)
    if patient or is_testing():
        announcer.announce(report)
    elif sent := announcer.post(report):
        wait([sent], timeout=_rest(began))
    return report


async def aevaluate(probe: str = HEARTBEAT) -> Report:
    """Do the same without blocking the event loop."""
    if is_testing():
        # Only the thread of the test knows whether it is inside an atomic block.
        return await sync_to_async(evaluate)(probe)
    began = time.monotonic()
    plan = _Plan(probe)
    report = plan.report(await runner.agather(plan.checks, conf.DOCKERFLOW_CHECK_TIMEOUT))
    if sent := announcer.post(report):
        await asyncio.wait([asyncio.wrap_future(sent)], timeout=_rest(began))
    return report


def _rest(began: float) -> float:
    """Return how long the answer may wait for the signals' receivers: they go on without it."""
    left = began + conf.DOCKERFLOW_CHECK_TIMEOUT - time.monotonic()
    return max(SHORTEST_WAIT_SECONDS, left)


def last_report(probe: str) -> Report | None:
    """Return what the probe's last announced run found in this process, None before the first."""
    return announcer.reports.get(probe)


def reset() -> None:
    """Forget what was found and announced, and begin a new life."""
    runner.reset()
    migrations.reset()
    lifecycle.reset()
    announcer.reset()


class _Plan:
    """What to run for one probe: its own checks and, while starting, those of startup."""

    def __init__(self, probe: str) -> None:
        self.probe = probe
        self.own = configured(probe)
        self.is_starting = _is_starting(probe)
        self.startup = configured("startup") if self.is_starting else []
        # What both list is asked once.
        self.checks = list({check.key: check for check in (*self.own, *self.startup)}.values())

    def report(self, results: Sequence[Result]) -> Report:
        found = dict(zip((check.key for check in self.checks), results, strict=True))
        if self.is_starting and all(found[c.key].level < checks.ERROR for c in self.startup):
            lifecycle.process.has_started = True
        fail_level = (
            conf.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL if self.probe == HEARTBEAT else checks.ERROR
        )
        passed = all(_passes(check, found[check.key], fail_level) for check in self.own)
        by_name = {name: found[check.key] for name, check in named(self.own)}
        notices = tuple(lifecycle.process.notices(self.probe))
        if notices:
            name = f"{LIFECYCLE}#2" if LIFECYCLE in by_name else LIFECYCLE
            by_name[name] = Result(notices, 0.0, run=0)
        return Report(self.probe, by_name, passed and not notices)


def _is_starting(probe: str) -> bool:
    return probe in {"readiness", "startup"} and not lifecycle.process.has_started


def _passes(check: Check, result: Result, fail_level: int) -> bool:
    return result.level < fail_level and not (check.once and result.level)


def _is_atomic() -> bool:
    return any(each.in_atomic_block for each in connections.all(initialized_only=True))


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting in {"CACHES", "DATABASES", "INSTALLED_APPS"} or setting.startswith("DOCKERFLOW_"):
        reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.heartbeat")
