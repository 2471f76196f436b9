"""Hand records to the project's filters and handlers without failing with them.

`logging` passes on what a filter raises, and what a handler's `emit` raises that guards nothing.
What the app logs beside a project's work must not cost that work, so the failure is printed on
standard error, as `logging.Handler.handleError` prints one.
"""

import logging
from contextlib import suppress
from typing import Any


def deliver(logger: logging.Logger, record: logging.LogRecord) -> None:
    """Do what ``logger.handle(record)`` does, but never raise an `Exception`."""
    try:
        logger.handle(record)
    except Exception:  # noqa: BLE001 - a filter or a handler is anybody's code
        _report(record)


def log(logger: logging.Logger, level: int, message: str, *args: Any, **kwargs: Any) -> None:
    """Do what ``logger.log(…)`` does, but never raise an `Exception`."""
    try:
        logger.log(level, message, *args, stacklevel=2, **kwargs)
    except Exception:  # noqa: BLE001 - as above, or a record factory
        _report(logging.LogRecord(logger.name, level, "", 0, message, args, None))


def _report(record: logging.LogRecord) -> None:
    with suppress(Exception):  # standard error may be closed
        logging.Handler().handleError(record)
