"""Keep the summaries from Sentry: it has the exception itself, and a failure returned is none."""

import sys
from contextlib import suppress
from functools import cache
from typing import Any

from dockerflow_django._state import keeps

_MODULE = "sentry_sdk.integrations.logging"


def keep_from_sentry(logger_name: str) -> None:
    """Have sentry_sdk, if the project uses it, make no event of the logger's records.

    To import it for that would take as long as half of Django, so it is told once it is there: call
    this before each record.
    """
    if (sentry := sys.modules.get(_MODULE)) is not None:
        _ignore_logger(sentry, logger_name)


@cache
def _ignore_logger(sentry: Any, logger_name: str) -> None:
    with suppress(Exception):  # of another version, or broken
        sentry.ignore_logger(logger_name)


keeps("_ignore_logger", after_fork=False)(_ignore_logger.cache_clear)
