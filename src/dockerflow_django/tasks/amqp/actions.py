"""What the broker is to be told about messages: at once, or after a pause."""

import heapq
import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue

from dockerflow_django.tasks.amqp.inbox import Delivery
from dockerflow_django.tasks.amqp.record import Record


@dataclass(frozen=True)
class Action:
    """What to tell the broker about a message, after a pause, and the record of its handling."""

    delivery: Delivery
    verb: str
    record: Record | None = None
    pause_seconds: float = 0.0


class Actions:
    """Takes actions from any thread, and gives them to the one that owns the connection."""

    def __init__(self) -> None:
        self._new: SimpleQueue[Action] = SimpleQueue()
        self._delayed: list[tuple[float, int, Action]] = []
        self._number = itertools.count()

    def put(self, action: Action) -> None:
        """Add an action; never waits."""
        self._new.put(action)

    @property
    def is_empty(self) -> bool:
        """Whether nothing new has been put."""
        return self._new.empty()

    def due(self, *, pauses: bool) -> Iterator[Action]:
        """Give what is to be told now; without `pauses` that is everything."""
        while True:
            try:
                action = self._new.get_nowait()
            except Empty:
                break
            if action.pause_seconds and pauses:
                self._delay(action)
            else:
                yield action
        while self._delayed and (not pauses or self._delayed[0][0] <= time.monotonic()):
            yield heapq.heappop(self._delayed)[2]

    def seconds_to_next(self, most: float) -> float:
        """Return in how many seconds the next pause ends, `most` if that is later."""
        if not self._delayed:
            return most
        return min(most, max(0.0, self._delayed[0][0] - time.monotonic()))

    def forget_delayed(self) -> None:
        """Forget what waits: the connection is gone, and with it each of these messages."""
        self._delayed.clear()

    def _delay(self, action: Action) -> None:
        due = time.monotonic() + action.pause_seconds
        later = Action(action.delivery, action.verb)
        heapq.heappush(self._delayed, (due, next(self._number), later))
        if action.record is not None:
            action.record.write(is_sent=True)  # whatever becomes of us, the message comes again
