"""Run checks side by side, each at most once at a time, and wait no longer than the deadline.

However many heartbeats ask, a check has one run in flight: later ones join it, and once it is
overdue they are answered at once. A finished run's result is reused while it is young. A check that
asks for more time than a heartbeat has runs in the background, see `slots`.
"""

import asyncio
from collections.abc import Iterable
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import replace
from typing import Any

from asgiref.sync import async_to_sync
from django.core import checks

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import end_stuck_waits
from dockerflow_django.conf import conf
from dockerflow_django.heartbeat import slots
from dockerflow_django.heartbeat.execution import Run, as_coroutine, execute
from dockerflow_django.heartbeat.report import Result
from dockerflow_django.heartbeat.slots import Slot

RunOrResult = Run | Result


def gather(
    checks_: Iterable[Check], cap_seconds: float | None = None, *, fresh: bool = False
) -> list[Result]:
    """Run the checks side by side and return their results in order.

    Waits for each until its timeout, counted from the start of its run. A check whose timeout is
    longer than `cap_seconds` is not waited for: it runs in the background. A `fresh` caller reuses
    no finished result, and still joins a run in flight.
    """
    checks_ = list(checks_)
    asked = [_run_or_result(check, cap_seconds, fresh=fresh) for check in checks_]
    for check, each in zip(checks_, asked, strict=True):
        if isinstance(each, Run):
            try:
                each.future.result(each.remaining(_limit_seconds(check)))
            except FutureTimeoutError:
                continue
    return [_settled(check, each) for check, each in zip(checks_, asked, strict=True)]


async def agather(checks_: Iterable[Check], cap_seconds: float | None = None) -> list[Result]:
    """Do the same without blocking the event loop; cancelling it leaves the shared runs alone."""
    checks_ = list(checks_)
    asked = [_run_or_result(check, cap_seconds) for check in checks_]
    for check, each in zip(checks_, asked, strict=True):
        if not isinstance(each, Run) or each.future.done():
            continue
        if (remaining := each.remaining(_limit_seconds(check))) > 0:
            waiter = asyncio.wrap_future(each.future)
            try:
                await asyncio.wait([waiter], timeout=remaining)
            finally:
                waiter.cancel()  # the run is running, so this never reaches it
    return [_settled(check, each) for check, each in zip(checks_, asked, strict=True)]


def gather_here(checks_: Iterable[Check]) -> list[Result]:
    """Run the checks one after another in this thread, with no deadline, sharing nothing."""
    return [
        replace(execute(Run(check), async_to_sync(as_coroutine)), **_options(check))
        for check in checks_
    ]


def _run_or_result(check: Check, cap_seconds: float | None, *, fresh: bool = False) -> RunOrResult:
    """Return a result that is young enough, or the run in flight, or a run begun now."""
    limit = _limit_seconds(check)
    with slots.lock():
        slot = slots.slot_of(check)
        slot.allowed_seconds = max(slot.allowed_seconds, limit)
        if check.once and slot.clean is not None and slot.clean.duration_seconds <= limit:
            return slot.clean
        if cap_seconds is not None and limit > cap_seconds:
            return _in_background(slot, check, limit)
        if slot.run is not None:
            return slot.run
        max_age = conf.DOCKERFLOW_HEARTBEAT_MAX_AGE if check.every is None else check.every
        if slot.last is not None and not fresh and slot.last.age_seconds < max_age:
            return slot.last
        return slots.begin(slot)


def _in_background(slot: Slot, check: Check, limit: float) -> Result:
    """Return the last result, and see to it that the check runs every so often from now on."""
    period = limit if check.every is None else check.every
    first_asked = slots.schedule(slot, period, limit)
    waited = slots.now() - first_asked
    too_old = period + limit + slots.GRACE_SECONDS
    if slot.last is not None and slot.last.age_seconds <= too_old:
        return slot.last
    run = slot.run or Run(check)
    if waited < limit:
        sentence = f"No answer yet, running in the background for {run.elapsed_seconds:.1f} s."
        message = checks.Info(sentence, id=health.INFO_NO_ANSWER_YET)
        return run.unfinished(message, is_pending=True)
    return _overdue(slot, run, limit)


def _settled(check: Check, asked: RunOrResult) -> Result:
    if isinstance(asked, Run) and asked.future.done():
        return _with_options(check, asked.future.result())
    result = _overdue(None, asked, _limit_seconds(check)) if isinstance(asked, Run) else asked
    if not (result.is_finished or result.is_pending):
        end_stuck_waits()
    return _with_options(check, result)


def _overdue(slot: Slot | None, run: Run, limit: float) -> Result:
    sentence = f"No answer within {limit:g} s, still running after {run.elapsed_seconds:.1f} s."
    if slot is not None and slot.last is not None:
        sentence = f"The last answer is {slot.last.age_seconds:.1f} s old. {sentence}"
    return run.unfinished(checks.Error(sentence, id=health.ERROR_CHECK_TIMED_OUT))


def _with_options(check: Check, result: Result) -> Result:
    """Judge the result as this listing of the check asks for: others may give it more time."""
    limit = _limit_seconds(check)
    messages = result.messages
    if result.is_finished and result.duration_seconds > limit:
        sentence = (
            f"The check answered after {result.duration_seconds:.1f} s, allowed are {limit:g} s."
        )
        messages = (checks.Error(sentence, id=health.ERROR_CHECK_TIMED_OUT), *messages)
    return replace(result, messages=messages, **_options(check))


def _options(check: Check) -> dict[str, Any]:
    return {
        "timeout_seconds": check.timeout,
        "fail_level": check.fail_level,
        "once": check.once,
    }


def _limit_seconds(check: Check) -> float:
    return check.timeout or conf.DOCKERFLOW_CHECK_TIMEOUT
