"""The rule about the way of a request's summary into the log."""

import logging
from collections.abc import Iterator
from logging.handlers import MemoryHandler, QueueHandler

from django.conf import settings
from django.core.checks import Warning  # noqa: A004 - Django's name

from dockerflow_django.summary.record import logger as summary_logger
from dockerflow_django.system_checks.rule import Finding, rule

_OUR_FORMATTERS = ("dockerflow_django.logging", "dockerflow.logging")  # that is E007's


@rule("dockerflow.W007", Warning)
def check_summary_is_written() -> Iterator[Finding]:
    """Find a logging configuration that loses summaries, or writes them without their fields.

    It asks the loggers themselves, whatever configured them. A project that debugs may want plain
    text, one without ``LOGGING_CONFIG`` configures logging later, and one that gave the logger a
    level above INFO, or a `NullHandler`, has decided.
    """
    if settings.DEBUG or settings.LOGGING_CONFIG is None or summary_logger.level > logging.INFO:
        return
    name = summary_logger.name
    hint = 'Use LOGGING = dockerflow_django.logging.logging_config("the project\'s name"), or give '
    hint += "a handler of that logger a formatter of dockerflow_django.logging."
    if not summary_logger.isEnabledFor(logging.INFO):
        level = logging.getLevelName(summary_logger.getEffectiveLevel())
        why = "disabled" if summary_logger.disabled else f"at level {level}"
        yield Finding(f"The summaries of requests are lost: logger {name!r} is {why}.", hint)
    elif not any(map(_writes, _handlers(summary_logger))):
        yield Finding(
            f"No handler of logger {name!r} writes the fields of a request's summary.", hint
        )


def _handlers(logger: logging.Logger) -> Iterator[logging.Handler]:
    each: logging.Logger | None = logger
    while each is not None:
        yield from each.handlers
        each = each.parent if each.propagate else None


def _writes(handler: logging.Handler) -> bool:
    if isinstance(handler, (MemoryHandler, QueueHandler, logging.NullHandler)):
        return True  # another handler writes, which cannot be seen from here, or none is meant to
    if handler.level > logging.INFO:
        return False
    modules = (kind.__module__ for kind in type(handler.formatter).__mro__)
    return any(module.startswith(_OUR_FORMATTERS) for module in modules)
