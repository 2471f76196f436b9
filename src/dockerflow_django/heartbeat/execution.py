"""One run of one check: call it, and make a result of whatever it does."""

import inspect
import itertools
import threading
import time
import traceback
from collections.abc import Awaitable, Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import in_heartbeat_thread
from dockerflow_django.heartbeat.report import Result

WaitFor = Callable[[Awaitable[Any]], Any]


@dataclass
class Run:
    """One execution of a check, which any number of heartbeats may wait for."""

    check: Check
    started: float = field(default_factory=time.monotonic)
    number: int = field(default_factory=itertools.count(1).__next__)
    future: "Future[Result]" = field(default_factory=Future)

    @property
    def elapsed_seconds(self) -> float:
        """How long the run has lasted."""
        return time.monotonic() - self.started

    def remaining(self, limit_seconds: float) -> float:
        """Seconds that are left of the limit; none once the run is overdue."""
        limit = min(limit_seconds, threading.TIMEOUT_MAX)
        return max(0.0, self.started + limit - time.monotonic())

    def result(self, messages: tuple[CheckMessage, ...], traceback_text: str = "") -> Result:
        """Return the result of a run that ends now."""
        return Result(messages, self.elapsed_seconds, self.number, traceback_text)

    def unfinished(self, message: CheckMessage, *, is_pending: bool = False) -> Result:
        """Return what can be said of a run that goes on."""
        return Result(
            (message,),
            self.elapsed_seconds,
            self.number,
            is_finished=False,
            is_pending=is_pending,
        )


def execute(run: Run, wait_for: WaitFor) -> Result:
    """Call the check, whatever it does: what it raises, `SystemExit` included, is its answer."""
    try:
        answer = run.check.call()
        if inspect.isawaitable(answer):
            answer = wait_for(answer)
        messages = _messages_in(answer)
        strangers = [message for message in messages if not _is_message(message)]
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and not in_heartbeat_thread.get():
            raise
        return raised(run, error)
    return run.result((_nonsense(strangers[0]),) if strangers else messages)


def raised(run: Run, error: BaseException) -> Result:
    """Return the result of a run that ended with an exception; call it while that is handled."""
    return run.result((raised_message(error),), traceback.format_exc())


def raised_message(error: BaseException) -> CheckMessage:
    """Return what a check that ended with an exception is answered by; its text stays hidden."""
    sentence = f"The check raised {type(error).__name__}."
    return checks.Critical(sentence, id=health.CRITICAL_CHECK_RAISED)


async def as_coroutine(answer: Awaitable[Any]) -> Any:
    """Await whatever can be awaited."""
    return await answer


def _messages_in(answer: Any) -> tuple[Any, ...]:
    """Return what the check has yielded; text and mappings are no messages, even if empty."""
    if isinstance(answer, Iterable) and not isinstance(answer, (str, bytes, bytearray, Mapping)):
        return tuple(answer)
    return (answer,)


def _is_message(stranger: object) -> bool:
    # A lazy text may raise when it is made a string: better here than in the answer. Django asserts
    # that the level is a number, which `python -O` leaves out.
    return (
        isinstance(stranger, CheckMessage)
        and isinstance(stranger.level, int)
        and isinstance(str(stranger.msg), str)
        and isinstance(str(stranger.hint or ""), str)
    )


def _nonsense(stranger: object) -> CheckMessage:
    kind = type(stranger).__name__
    sentence = f"The check returned something other than check messages, a {kind}."
    return checks.Critical(
        sentence,
        hint="A check returns a list of django.core.checks.CheckMessage.",
        id=health.CRITICAL_CHECK_ANSWERED_NONSENSE,
    )
