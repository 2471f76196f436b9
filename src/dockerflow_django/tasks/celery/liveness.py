"""Whether the loop of a worker's consumer turns, and whether beat ticks.

Neither has to while the broker does not answer: both are then inside a client that tries again, and
a restart would not help. So the time is counted from when the broker has answered again.
"""

import time
from collections.abc import Callable
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.conf import conf
from dockerflow_django.tasks.celery.broker import BrokerWatch

TURN_SECONDS = 1.0
# The longest pause of kombu between two tries to connect; it does not notice that the broker is
# back (`kombu.Connection.ensure_connection`, `interval_max`).
RECONNECT_SECONDS = 30.0


class LoopWatch:
    """Knows when the loop of a worker's consumer has turned last."""

    def __init__(self, worker: Any, broker: BrokerWatch, is_busy: Callable[[], bool]) -> None:
        """Take `is_busy`: whether a task runs in the very thread of the loop."""
        self._worker = worker
        self._broker = broker
        self._is_busy = is_busy
        self._turned_at = time.monotonic()
        self._is_asked = False
        self._entry: Any = None

    def watch(self) -> None:
        """Have the loop say that it turns; call it for each new connection.

        When a connection is lost, Celery 5.6 clears all timers, and 5.7 those of the connection.

        A transport without an event loop has a thread for its timers, which proves nothing: there
        `messages` asks the loop itself.
        """
        if self._entry is not None:
            self._entry.cancel()
        if self._worker.hub is not None:
            self._entry = self._worker.timer.call_repeatedly(TURN_SECONDS, self._turn)

    def messages(self) -> list[CheckMessage]:
        """Return an error if the loop has stood still for too long."""
        self._ask()
        if self._is_busy():
            self._turn()
        since = self._broker.answers_since
        if since is None:
            return []
        still = time.monotonic() - max(self._turned_at, since)
        allowed = conf.DOCKERFLOW_WORKER_STALL_SECONDS
        if self._worker.consumer.connection is None:
            allowed += RECONNECT_SECONDS
        if still <= allowed:
            return []
        sentence = (
            f"The consumer's loop has not turned for {still:.1f} s, although the broker answers."
        )
        return [checks.Error(sentence, id=health.ERROR_STALLED)]

    def _ask(self) -> None:
        if self._worker.hub is None and not self._is_asked:
            self._is_asked = True
            self._worker.consumer.call_soon(self._turn)

    def _turn(self) -> None:
        self._turned_at = time.monotonic()
        self._is_asked = False


class TickWatch:
    """Knows when beat has looked at its schedule last, and how long it wants to sleep."""

    def __init__(self, scheduler: Any, broker: BrokerWatch) -> None:
        self._broker = broker
        self._due_at = time.monotonic()
        self._tick = scheduler.tick
        # On the instance: a project's own scheduler has its own `tick`.
        scheduler.tick = self._observed

    def _observed(self, *args: Any, **kwargs: Any) -> Any:
        interval = self._tick(*args, **kwargs)
        self._due_at = time.monotonic() + max(interval or 0, 0)
        return interval

    def messages(self) -> list[CheckMessage]:
        """Return an error if the next look at the schedule is overdue for too long."""
        since = self._broker.answers_since
        if since is None:
            return []
        allowed = conf.DOCKERFLOW_WORKER_STALL_SECONDS
        if since > self._due_at:
            allowed += RECONNECT_SECONDS
        late = time.monotonic() - max(self._due_at, since)
        if late <= allowed:
            return []
        sentence = f"Beat has not looked at its schedule: that is {late:.1f} s overdue."
        return [checks.Error(sentence, id=health.ERROR_STALLED)]
