"""The one loop that asks again until what it waits for has come, or the time is over."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_TRIES = 1.0


def retry(ask: Callable[[], T], has_passed: Callable[[T], bool], seconds: float) -> T:
    """Ask at least once, then once a second until the answer passes; return the last answer.

    It ends after `seconds` and, at most, one more answer.
    """
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        answer = ask()
        remaining = deadline - time.monotonic()
        if has_passed(answer) or remaining <= 0:
            return answer
        pause = SECONDS_BETWEEN_TRIES - (time.monotonic() - began)
        time.sleep(max(0.0, min(pause, remaining)))
