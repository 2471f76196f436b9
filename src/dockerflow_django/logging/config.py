"""A whole LOGGING setting in one call."""

import logging
from typing import Any, Literal, TypeAlias

from dockerflow_django.logging.formatter import MozlogFormatter

Format: TypeAlias = Literal["mozlog", "console"]

FORMATS: tuple[Format, ...] = ("mozlog", "console")

RUNSERVER = "django.server"
UVICORN_ACCESS = "uvicorn.access"
SERVER_LOGGERS = (
    RUNSERVER,
    "_granian",
    "granian.access",
    "gunicorn.access",
    "gunicorn.error",
    "uvicorn",
    UVICORN_ACCESS,
    "uvicorn.asgi",
    "uvicorn.error",
)


def logging_config(
    logger_name: str,
    level: str | int = "INFO",
    format: Format | None = None,  # noqa: A002 - the contract's name
) -> dict[str, Any]:
    """Return a whole ``LOGGING`` setting: every record on standard output, once.

    The dict is for `logging.config.dictConfig`, and yours to change. It has the formatter and the
    handler ``dockerflow``, the filter ``rid``, a root logger, and loggers for Django, Gunicorn,
    Uvicorn and Granian.

    :param logger_name: the name of the service, ``Logger`` in every line.
    :param level: the level of the root logger, a name or a number. Above ``INFO``, it is also the
        least that Django's and the servers' loggers write.
    :param format: ``"mozlog"`` or ``"console"``. If not given, it is the console's if ``DEBUG`` is
        on, which is looked up when Django configures logging.
    :raises TypeError: if ``logger_name`` is not a string.
    :raises ValueError: if another argument is wrong; the text says which.
    """
    _check(logger_name, format)
    threshold = _number_of(level)
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "rid": {"()": "dockerflow_django.logging.RequestIdLogFilter"},
            "uvicorn": {
                "()": "dockerflow_django.logging.filters.SilencedLogFilter",
                "logger_name": UVICORN_ACCESS,
            },
            "summarised": {"()": "dockerflow_django.logging.filters.SummarisedLogFilter"},
        },
        "formatters": {
            "dockerflow": {
                "()": "dockerflow_django.logging.config.choose_formatter",
                "logger_name": logger_name,
                "choice": format,
            }
        },
        "handlers": {
            "dockerflow": {
                "class": "logging.StreamHandler",
                "stream": "ext://sys.stdout",
                "formatter": "dockerflow",
                "filters": ["rid"],
            },
            "mail_admins": {"()": "dockerflow_django.logging.config.admin_mail_handler"},
        },
        "root": {"handlers": ["dockerflow"], "level": threshold},
        "loggers": _loggers(threshold),
    }


def choose_formatter(logger_name: str, choice: Format | None = None) -> logging.Formatter:
    """Return the formatter that was chosen, or the one that `DEBUG` stands for."""
    if choice is None:
        choice = "console" if _debug() else "mozlog"
    if choice == "mozlog":
        return MozlogFormatter(logger_name=logger_name)
    from dockerflow_django.logging.console import ConsoleFormatter

    return ConsoleFormatter()


def admin_mail_handler() -> logging.Handler:
    """Return the handler that mails errors to `ADMINS`, as in Django's own configuration."""
    from django.conf import settings

    if not settings.configured:
        return logging.NullHandler()
    from django.utils.log import AdminEmailHandler, RequireDebugFalse

    handler = AdminEmailHandler()
    handler.setLevel(logging.ERROR)
    handler.addFilter(RequireDebugFalse())
    return handler


def _loggers(level: int) -> dict[str, Any]:
    """Take the loggers' own handlers away: what propagates is written by the root's.

    Django gives its loggers a level of INFO, and servers have an option for theirs; only a level
    above that is ours to set.
    """
    quieter = {"level": level} if level > logging.INFO else {}
    loggers: dict[str, Any] = {
        name: {"handlers": [], "propagate": True, **quieter} for name in SERVER_LOGGERS
    }
    loggers[UVICORN_ACCESS]["filters"] = ["uvicorn"]
    loggers[RUNSERVER]["filters"] = ["summarised"]
    loggers["django"] = {"handlers": ["mail_admins"], "propagate": True, **quieter}
    return loggers


def _check(logger_name: Any, choice: Any) -> None:
    if not isinstance(logger_name, str):
        raise TypeError(f"logging_config(): logger_name must be a string, not {logger_name!r}")
    if not logger_name:
        raise ValueError("logging_config(): logger_name is empty; name the service")
    if choice is not None and choice not in FORMATS:
        raise ValueError(f"logging_config(): format must be one of {FORMATS}, not {choice!r}")


def _number_of(level: Any) -> int:
    if isinstance(level, int) and not isinstance(level, bool):
        return level
    names = logging.getLevelNamesMapping()
    if not isinstance(level, str) or level.upper() not in names:
        raise ValueError(f"logging_config(): level must be one of {[*names]}, not {level!r}")
    return names[level.upper()]


def _debug() -> bool:
    """Return `DEBUG`; never load the settings, which may be just loading."""
    from django.conf import settings

    return bool(settings.configured and settings.DEBUG)
