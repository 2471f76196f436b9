"""What is known of each check: the run in flight, the last result, and when it runs again.

A check is a slot, whatever options the probes list it with, so it has one run at a time. All
functions but `lock` and `reset` are called with the lock held.
"""

import threading
import time
from collections.abc import Hashable
from contextlib import suppress
from dataclasses import dataclass

from dockerflow_django._state import keeps
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import (
    allowed_seconds,
    close_all,
    in_heartbeat_thread,
    is_testing,
)
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.execution import Run, as_coroutine, execute, raised
from dockerflow_django.heartbeat.report import Result

# How much older than expected a result of the background may be.
GRACE_SECONDS = 1.0
# A check in the background leaves the process at least this much time between two starts.
SHORTEST_PERIOD_SECONDS = 0.1


@dataclass
class Slot:
    """One check. `clean` is its last result without a message.

    A run may take `allowed_seconds`, the most that any listing of the check has asked for.

    The other fields are for a check that runs in the background: when it was first and last asked
    for, how often it runs, after how long without a question it stops, and the timer of its next
    run.
    """

    check: Check  # held, so that the identity in its key stays its own
    run: Run | None = None
    last: Result | None = None
    clean: Result | None = None
    allowed_seconds: float = 0.0
    first_asked: float | None = None
    last_asked: float = 0.0
    period_seconds: float = 0.0
    patience_seconds: float = 0.0
    timer: threading.Timer | None = None


def lock() -> threading.Lock:
    """Return the lock that guards all slots."""
    return _lock


def now() -> float:
    """Return the time on the clock that the slots use."""
    return time.monotonic()


def slot_of(check: Check) -> Slot:
    """Return the check's slot, a new one if it has none."""
    return _slots.setdefault(check.key, Slot(check))


def begin(slot: Slot) -> Run:
    """Start a run of the check in a thread of its own."""
    run = slot.run = Run(slot.check)
    run.future.set_running_or_notify_cancel()
    try:
        threads.start(lambda: _work(slot, run), name=f"dockerflow-{slot.check.name}")
    except RuntimeError as error:
        _end(slot, run, raised(run, error))
    return run


def schedule(slot: Slot, period_seconds: float, timeout_seconds: float) -> float:
    """Let the check run every so often; return when that began. Asking again changes nothing."""
    period = max(period_seconds, SHORTEST_PERIOD_SECONDS)
    slot.period_seconds = min(period, slot.period_seconds or period)
    slot.patience_seconds = period + timeout_seconds + GRACE_SECONDS
    slot.last_asked = now()
    if slot.first_asked is None:
        slot.first_asked = slot.last_asked
    if slot.run is None and (slot.timer is None or not slot.timer.is_alive()):
        begin(slot)
    return slot.first_asked


@keeps("_lock", "_slots")
def reset() -> None:
    """Forget every check. A run in flight goes on, after a fork in the parent alone."""
    global _lock, _slots
    for slot in list(_slots.values()):
        if slot.timer is not None and slot.timer.is_alive():  # in a forked child it is not
            slot.timer.cancel()
    _lock, _slots = threading.Lock(), {}


_lock = threading.Lock()
_slots: dict[Hashable, Slot] = {}


def _work(slot: Slot, run: Run) -> None:
    in_heartbeat_thread.set(True)
    allowed_seconds.set(slot.allowed_seconds)
    result = execute(run, lambda answer: threads.run_coroutine(as_coroutine(answer)))
    try:
        close_all()
    finally:
        with _lock:
            _end(slot, run, result)


def _end(slot: Slot, run: Run, result: Result) -> None:
    slot.run, slot.last = None, result
    if not result.level:
        slot.clean = result
    run.future.set_result(result)
    if slot.first_asked is not None:
        _plan_next(slot, run)


def _plan_next(slot: Slot, run: Run) -> None:
    if slot.timer is not None:
        slot.timer.cancel()
    slot.timer = threading.Timer(run.remaining(slot.period_seconds), _continue, (slot,))
    slot.timer.name = f"dockerflow-next-{slot.check.name}"
    slot.timer.daemon = True
    with suppress(RuntimeError):  # no thread could be started: the next heartbeat starts the run
        slot.timer.start()


def _continue(slot: Slot) -> None:
    with _lock:
        is_forgotten = _slots.get(slot.check.key) is not slot
        # A test that is over leaves nothing behind that asks the test's database.
        is_left = is_testing() and now() - slot.last_asked > slot.patience_seconds
        slot.timer = None
        if slot.run is None and not is_forgotten and not is_left:
            begin(slot)
