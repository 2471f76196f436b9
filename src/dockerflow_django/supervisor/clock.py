"""The time in which this process ran: what a worker is blamed for is measured on it."""

import time
from collections.abc import Callable

# Between two ticks no more than this counts. The loop ticks four times a second, so a longer gap
# means that this process was frozen, starved or asleep, and no worker could have been heard.
LONGEST_STEP_SECONDS = 1.0


class RunningClock:
    """Counts seconds from one tick to the next."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._ticked_at = now()
        self.seconds = 0.0

    def tick(self) -> None:
        """Count the time since the last tick."""
        now = self._now()
        self.seconds += min(now - self._ticked_at, LONGEST_STEP_SECONDS)
        self._ticked_at = now
