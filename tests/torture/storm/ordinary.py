"""Ordinary requests at a steady rate, and how long each took."""

import time
from concurrent.futures import ThreadPoolExecutor
from itertools import count, takewhile

from tests.harness import http
from tests.harness.closing import Background

PER_SECOND = 40
THREADS = 16
SECONDS = 60.0


class Ordinary(Background):
    """Requests of an ordinary view until the end of the ``with`` block, and so many at least."""

    def __init__(self, address: http.Address, at_least: int) -> None:
        self._address = address
        self._at_least = at_least
        super().__init__()
        self.answers: list[http.Answer] = []

    def percentile(self, share: float) -> float:
        """Return the seconds within which that share of them was answered."""
        seconds = sorted(answer.seconds for answer in self.answers)
        return seconds[min(len(seconds) - 1, int(share * len(seconds)))]

    def _run(self) -> None:
        began = time.monotonic()

        def goes_on(number: int) -> bool:
            pause = began + number / PER_SECOND - time.monotonic()
            # Without the event, the last of those that are owed are due at their time as well.
            is_over = self._ended.wait(max(0.0, pause))
            if is_over and number < self._at_least:
                time.sleep(max(0.0, began + number / PER_SECOND - time.monotonic()))
            return number < self._at_least or not is_over

        with ThreadPoolExecutor(THREADS) as pool:
            calls = [pool.submit(self._ask) for _ in takewhile(goes_on, count())]
        self.answers = [call.result() for call in calls]

    def _ask(self) -> http.Answer:
        return http.request(self._address, "GET", "/plain/", timeout=SECONDS)
