"""Waiting for a condition, never for a time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# What has a deadline below a second is over by then, also on a machine that is busy with other
# things; clients that were given no deadline wait five seconds at least, most of them for ever.
PROMPT_SECONDS = 4.0

What = str | Callable[[], str]


def wait_until(condition: Callable[[], T], *, timeout: float = 20.0, what: What = "") -> T:
    """Return the first true value of ``condition``, or fail after ``timeout`` seconds.

    ``what`` tells what was waited for, or is called at the end to tell.
    """
    end = time.monotonic() + timeout
    while not (value := condition()):
        if time.monotonic() > end:
            told = what() if callable(what) else what
            raise AssertionError(f"not within {timeout} s: {told or condition}")
        time.sleep(0.01)
    return value


def wait_until_steady(look: Callable[[], T | None], *, timeout: float = 20.0) -> T:
    """Return what three looks in a row have found alike; one that returns None starts anew."""
    seen: list[T | None] = []

    def steady() -> T | None:
        seen.append(look())
        return seen[-1] if len(seen) >= 3 and seen[-1] == seen[-2] == seen[-3] else None

    found = wait_until(steady, timeout=timeout, what=lambda: f"it changes: {seen[-9:]}")
    assert found is not None
    return found
