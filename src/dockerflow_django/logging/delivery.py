"""Hand records to the project's filters and handlers without failing with them.

`logging` passes on what a filter raises, and what a handler's `emit` raises that guards nothing.
What the app logs beside a project's work must not cost that work, so it is told on standard error,
as a handler tells what it cannot write.
"""

import logging
from contextlib import suppress
from typing import Any


def deliver(logger: logging.Logger, record: logging.LogRecord) -> None:
    """Do what ``logger.handle(record)`` does."""
    try:
        logger.handle(record)
    except Exception:  # noqa: BLE001 - a filter or a handler is anybody's code
        _tell(record)


def log(logger: logging.Logger, level: int, message: str, *args: Any, **kwargs: Any) -> None:
    """Do what ``logger.log(…)`` does."""
    try:
        logger.log(level, message, *args, stacklevel=2, **kwargs)
    except Exception:  # noqa: BLE001 - as above, or a record factory
        _tell(logging.LogRecord(logger.name, level, "", 0, message, args, None))


def _tell(record: logging.LogRecord) -> None:
    with suppress(Exception):  # standard error may be closed
        logging.Handler().handleError(record)
