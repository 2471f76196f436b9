"""A steady load over new connections, every answer of which is looked at."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count

from tests.harness import http
from tests.harness.closing import Background

THREADS = 24


class Load(Background):
    """So many requests a second, GET and POST by turns, until the end of the ``with`` block."""

    def __init__(self, address: http.Address, per_second: float) -> None:
        self._address = address
        self._pause = 1 / per_second
        super().__init__()
        self._lock = threading.Lock()
        self.outcomes: Counter[str] = Counter()

    @property
    def lost(self) -> dict[str, int]:
        """What was not answered as it should be, by what happened instead."""
        return {name: number for name, number in self.outcomes.items() if not name.endswith(" ok")}

    def _run(self) -> None:
        with ThreadPoolExecutor(THREADS) as pool:
            for number in self._ticks():
                pool.submit(self._ask, number)

    def _ticks(self) -> Iterator[int]:
        begin = time.monotonic()
        for number in count():
            if self._ended.wait(max(0.0, begin + number * self._pause - time.monotonic())):
                return
            yield number

    def _ask(self, number: int) -> None:
        method = "POST" if number % 2 else "GET"
        try:
            outcome = self._exchange(method, number)
        except (OSError, ValueError, http.http.client.HTTPException) as error:
            outcome = type(error).__name__
        with self._lock:
            self.outcomes[f"{method} {outcome}"] += 1

    def _exchange(self, method: str, number: int) -> str:
        if method == "GET":
            path = "/slow/?seconds=0.2" if number % 20 == 0 else "/plain/"
            answer = http.request(self._address, "GET", path, timeout=20)
            wanted = b"slow" if number % 20 == 0 else b"plain"
        else:
            wanted = f"body {number}".encode() * 20
            answer = http.request(self._address, "POST", "/echo/", body=wanted, timeout=20)
        is_right = answer.status == 200 and answer.complete and answer.body == wanted
        return "ok" if is_right else f"{answer.status}"
