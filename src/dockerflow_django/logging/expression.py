"""Regular expressions that are compiled when they are first used.

To compile those of this room takes longer than to import it, and most processes never see a secret.
"""

import re
from _thread import allocate_lock, start_new_thread
from collections.abc import Callable
from functools import cache

Expression = Callable[[], re.Pattern[str]]


def expression(pattern: str, flags: int = 0) -> Expression:
    """Return a function that returns `re.compile(pattern, flags)`, always the same."""

    @cache
    def compiled() -> re.Pattern[str]:
        try:
            return re.compile(pattern, flags)
        except RecursionError:
            return _compile_on_a_new_stack(pattern, flags)

    return compiled


def _compile_on_a_new_stack(pattern: str, flags: int) -> re.Pattern[str]:
    """Compile in a thread: to format a record must not take more frames for the first secret.

    `threading.Thread` would take frames of its own for that.
    """
    found: list[re.Pattern[str]] = []
    is_over = allocate_lock()
    is_over.acquire()

    def compile_it() -> None:  # pragma: no cover - coverage follows no thread of `_thread`
        try:
            found.append(re.compile(pattern, flags))
        finally:
            is_over.release()

    start_new_thread(compile_it, ())
    is_over.acquire()
    return found[0]
