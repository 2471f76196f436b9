"""One evaluation of a probe: its checks, and where the process is in its life."""

from collections.abc import Hashable, Sequence
from typing import Any

from asgiref.sync import sync_to_async
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage
from django.core.signals import setting_changed
from django.db import connections
from django.urls import get_resolver

from dockerflow_django import _state, health, lifecycle
from dockerflow_django.checks import migrations
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import is_testing
from dockerflow_django.checks.messages import failure
from dockerflow_django.checks.registry import configuration
from dockerflow_django.conf import conf
from dockerflow_django.health import HEARTBEAT
from dockerflow_django.heartbeat import runner, slots
from dockerflow_django.heartbeat.announcer import announcer
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result


def evaluate(probe: str = HEARTBEAT, *, patient: bool = False, fresh: bool = False) -> Report:
    """Run the checks of the probe and return what they found, within ``DOCKERFLOW_CHECK_TIMEOUT``.

    A `patient` caller waits as long as a check has asked for, a `fresh` one reuses no result. Under
    Django's test runner, inside an atomic block as in a `TestCase`, the checks run in this thread,
    so that they see what the test sees.
    """
    _state.notice_fork()
    plan = _Plan(probe)
    if is_testing() and _is_atomic():
        results = runner.gather_here(plan.checks)
    else:
        cap = None if patient else conf.DOCKERFLOW_CHECK_TIMEOUT
        results = runner.gather(plan.checks, cap, fresh=fresh)
    report = plan.report(results)
    announcer.announce(report, in_place=patient or is_testing())
    return report


async def aevaluate(probe: str = HEARTBEAT) -> Report:
    """Do the same without blocking the event loop."""
    if is_testing():
        # Only the thread of the test knows whether it is inside an atomic block.
        return await sync_to_async(evaluate)(probe)
    _state.notice_fork()
    plan = _Plan(probe)
    report = plan.report(await runner.agather(plan.checks, conf.DOCKERFLOW_CHECK_TIMEOUT))
    announcer.announce(report)
    return report


def last_report(probe: str) -> Report | None:
    """Return what the probe's last announced run found in this process, None before the first."""
    return announcer.reports.get(probe)


def reset() -> None:
    """Forget what was found and announced, and begin a new life."""
    slots.reset()
    migrations.reset()
    lifecycle.reset()
    announcer.reset()


def check_urlconf_imported(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Import the URLconf, as the first request would: without it every request fails."""
    try:
        _ = get_resolver().url_patterns
    except Exception as error:  # noqa: BLE001 - a project's module may raise anything
        sentence = f"The URLconf cannot be imported ({type(error).__name__})."
        return [failure(checks.Error, sentence, health.ERROR_URLCONF_NOT_IMPORTABLE, error)]
    return []


# Asked while the process starts, beside what the startup probe lists.
_URLCONF = Check(check_urlconf_imported, once=True)


class _Plan:
    """What to run for one probe: its own checks and, while starting, those of startup."""

    def __init__(self, probe: str) -> None:
        self.probe = probe
        configured = configuration()
        self.own = configured[probe]
        self.is_starting = _is_starting(probe)
        self.startup: list[Check] = []
        if self.is_starting:
            self.startup = [check for _, check in configured["startup"]]
            self.startup += [_URLCONF] if getattr(settings, "ROOT_URLCONF", None) else []
        # What both list is asked once.
        own = (check for _, check in self.own)
        self.checks = list({_listing(check): check for check in (*own, *self.startup)}.values())

    def report(self, results: Sequence[Result]) -> Report:
        found = dict(zip(map(_listing, self.checks), results, strict=True))
        startup = [found[_listing(check)] for check in self.startup]
        if self.is_starting and all(result.passes("startup") for result in startup):
            lifecycle.process.has_started = True
        by_name = {name: found[_listing(check)] for name, check in self.own}
        fail_level = (
            conf.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL if self.probe == HEARTBEAT else checks.ERROR
        )
        failing = {n for n, each in by_name.items() if not each.passes(self.probe, fail_level)}
        if notices := self._notices(found.get(_listing(_URLCONF))):
            name = f"{LIFECYCLE}#2" if LIFECYCLE in by_name else LIFECYCLE
            by_name[name] = Result(tuple(notices), 0.0, run=0)
            failing.add(name)
        return Report(self.probe, by_name, not failing, frozenset(failing))

    def _notices(self, urlconf: Result | None) -> list[CheckMessage]:
        notices = lifecycle.process.notices(self.probe)
        # One that is still being imported is told by "starting".
        return notices + list(urlconf.spoken if urlconf and urlconf.is_finished else ())


def _listing(check: Check) -> Hashable:
    """Return what is equal for two listings of a check with the same options."""
    return (check.key, check.timeout, check.every, check.fail_level, check.once)


def _is_starting(probe: str) -> bool:
    return probe in {"readiness", "startup"} and not lifecycle.process.has_started


def _is_atomic() -> bool:
    return any(each.in_atomic_block for each in connections.all(initialized_only=True))


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting in {"CACHES", "DATABASES", "INSTALLED_APPS"} or setting.startswith("DOCKERFLOW_"):
        reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.heartbeat")
