"""How often the worker of one place has died lately, and when that is too often."""

import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable

DEATHS = 5
SECONDS = 60.0


def exit_in_words(code: int | None) -> str:
    """Return how a process ended, by its exit code: negative for a signal, as in `subprocess`."""
    if code is None or code >= 0:
        return f"exit status {code}"
    try:
        return f"killed by {signal.Signals(-code).name}"
    except ValueError:  # one of the real-time signals, which have no names
        return f"killed by signal {-code}"


class Deaths:
    """The times of the last deaths, by place."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._times: defaultdict[int, deque[float]] = defaultdict(lambda: deque(maxlen=DEATHS))

    def note(self, place: int, problem: str = "") -> str:
        """Note a death; return why the container must end, empty if it need not."""
        times = self._times[place]
        times.append(self._now())
        if len(times) < DEATHS or times[-1] - times[0] > SECONDS:
            return ""
        reason = f": {problem}" if problem else ""
        return f"worker {place} ended {DEATHS} times within {SECONDS:g} s{reason}"
