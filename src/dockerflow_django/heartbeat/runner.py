"""Run checks side by side, each at most once at a time, and wait no longer than the deadline.

However many heartbeats ask, a check has one run in flight: later ones join it, and once it is
overdue they are answered at once. A finished run's result is reused while it is young.
"""

import asyncio
import inspect
import itertools
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import Any

from asgiref.sync import async_to_sync
from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django._state import keeps
from dockerflow_django.checks.connection import close_all, end_stuck_waits, in_heartbeat_thread
from dockerflow_django.checks.registry import Check
from dockerflow_django.conf import conf
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.report import Result


@dataclass
class Run:
    """One execution of a check, which any number of heartbeats may wait for."""

    check: Check
    limit_seconds: float
    started: float = field(default_factory=time.monotonic)
    number: int = field(default_factory=itertools.count(1).__next__)
    future: "Future[Result]" = field(default_factory=Future)

    def remaining(self, cap_seconds: float | None) -> float:
        """Seconds that a heartbeat may still wait for this run; none once it is overdue."""
        limit = min(self.limit_seconds, cap_seconds or self.limit_seconds, threading.TIMEOUT_MAX)
        return max(0.0, self.started + limit - time.monotonic())


def gather(
    checks_: Iterable[Check], cap_seconds: float | None = None, *, fresh: bool = False
) -> list[Result]:
    """Run the checks side by side and return their results in order.

    Waits for each until its timeout, counted from the start of its run, and never longer than
    `cap_seconds`. A check that has not answered by then has a result that says so. A `fresh` caller
    reuses no finished result, and still joins a run in flight.
    """
    answers = [_join(check, fresh=fresh) for check in checks_]
    for run in _runs(answers):
        try:
            run.future.result(run.remaining(cap_seconds))
        except FutureTimeoutError:
            continue
    return [_settled(answer, cap_seconds) for answer in answers]


async def agather(checks_: Iterable[Check], cap_seconds: float | None = None) -> list[Result]:
    """Do the same without blocking the event loop; cancelling it leaves the shared runs alone."""
    answers = [_join(check) for check in checks_]
    for run in _runs(answers):
        remaining = run.remaining(cap_seconds)
        if remaining > 0 and not run.future.done():
            waiter = asyncio.wrap_future(run.future)
            try:
                await asyncio.wait([waiter], timeout=remaining)
            finally:
                waiter.cancel()  # the run is running, so this never reaches it
    return [_settled(answer, cap_seconds) for answer in answers]


def gather_here(checks_: Iterable[Check]) -> list[Result]:
    """Run the checks one after another in this thread, with no deadline, sharing nothing."""
    return [_execute(Run(check, limit_seconds=0), async_to_sync(_await)) for check in checks_]


@keeps("_lock", "_slots")
def reset() -> None:
    """Forget every result. A run in flight goes on, after a fork in the parent alone."""
    global _lock, _slots
    _lock, _slots = threading.Lock(), {}


@dataclass
class _Slot:
    check: Check  # held, so that the identity in its key stays its own
    run: Run | None = None
    last: Result | None = None


_lock = threading.Lock()
_slots: dict[tuple[object, ...], _Slot] = {}


def _join(check: Check, *, fresh: bool = False) -> Run | Result:
    """Return the run in flight, or a result that is young enough, or a run begun now."""
    with _lock:
        slot = _slots.setdefault(check.key, _Slot(check))
        if slot.run is not None:
            return slot.run
        if slot.last is not None and not fresh and _is_reusable(check, slot.last):
            return slot.last
        run = slot.run = Run(check, check.timeout or conf.DOCKERFLOW_CHECK_TIMEOUT)
        run.future.set_running_or_notify_cancel()
    try:
        threads.start(lambda: _finish(slot, run), name=f"dockerflow-{check.name}")
    except RuntimeError as error:
        _publish(slot, run, _answer(run, (_raised(error),), traceback.format_exc()))
    return run


def _is_reusable(check: Check, last: Result) -> bool:
    max_age = conf.DOCKERFLOW_HEARTBEAT_MAX_AGE if check.every is None else check.every
    return last.age_seconds < max_age or (check.once and last.level == 0)


def _settled(answer: Run | Result, cap_seconds: float | None) -> Result:
    if isinstance(answer, Result):
        return answer
    if answer.future.done():
        return answer.future.result()
    with _lock:
        slot = _slots.get(answer.check.key)
    elapsed = time.monotonic() - answer.started
    # The check may have asked for more time than a heartbeat has.
    has_time_left = cap_seconds is not None and max(cap_seconds, elapsed) < answer.limit_seconds
    if has_time_left and slot is not None and slot.last is not None:
        return slot.last
    end_stuck_waits()
    return _overdue(answer, elapsed)


def _overdue(run: Run, elapsed: float) -> Result:
    sentence = (
        f"No answer within {run.limit_seconds:g} s"
        if elapsed >= run.limit_seconds
        else "No answer yet"
    )
    sentence += f", still running since {elapsed:.1f} s."
    message = checks.Error(sentence, id=health.ERROR_CHECK_TIMED_OUT)
    return Result((message,), elapsed, -run.number)


def _runs(answers: Iterable[Run | Result]) -> Iterator[Run]:
    return (answer for answer in answers if isinstance(answer, Run))


def _finish(slot: _Slot, run: Run) -> None:
    in_heartbeat_thread.set(True)
    result = _execute(run, lambda answer: threads.run_coroutine(_await(answer)))
    try:
        close_all()
    finally:
        _publish(slot, run, result)


def _publish(slot: _Slot, run: Run, result: Result) -> None:
    with _lock:
        slot.run, slot.last = None, result
    run.future.set_result(result)


def _execute(run: Run, wait_for: Callable[[Awaitable[Any]], Any]) -> Result:
    """Call the check, whatever it does: what it raises, `SystemExit` included, is its answer."""
    try:
        answer = run.check.call()
        if inspect.isawaitable(answer):
            answer = wait_for(answer)
        messages = tuple(answer) if isinstance(answer, Iterable) else (answer,)
        strangers = [message for message in messages if not _is_message(message)]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not in_heartbeat_thread.get():
            raise
        return _answer(run, (_raised(error),), traceback.format_exc())
    return _answer(run, (_nonsense(strangers[0]),) if strangers else messages)


def _is_message(stranger: object) -> bool:
    # A lazy text may raise when it is made a string: better here than in the answer. Django asserts
    # that the level is a number, which `python -O` leaves out.
    return (
        isinstance(stranger, CheckMessage)
        and isinstance(stranger.level, int)
        and isinstance(str(stranger.msg), str)
    )


async def _await(answer: Awaitable[Any]) -> Any:
    return await answer


def _answer(run: Run, messages: tuple[CheckMessage, ...], traceback_text: str = "") -> Result:
    return Result(messages, time.monotonic() - run.started, run.number, traceback_text)


def _raised(error: BaseException) -> CheckMessage:
    return checks.Critical(
        f"The check raised {type(error).__name__}.", id=health.CRITICAL_CHECK_RAISED
    )


def _nonsense(stranger: object) -> CheckMessage:
    kind = type(stranger).__name__
    sentence = f"The check returned something else than check messages, a {kind}."
    return checks.Critical(
        sentence,
        hint="A check returns a list of django.core.checks.CheckMessage.",
        id=health.CRITICAL_CHECK_ANSWERED_NONSENSE,
    )
