"""Log lines that machines can read (mozlog) and people too (console).

Nothing here imports Django: a `LOGGING` setting names these classes while settings load.
"""

from typing import TYPE_CHECKING, Any

from dockerflow_django.context import request_id_context
from dockerflow_django.logging.config import logging_config
from dockerflow_django.logging.filters import RequestIdLogFilter
from dockerflow_django.logging.formatter import MozlogFormatter
from dockerflow_django.logging.handlers import MozlogHandler
from dockerflow_django.logging.tracebacks import safer_format_traceback

if TYPE_CHECKING:
    from dockerflow_django.logging.console import ConsoleFormatter

JsonLogFormatter = MozlogFormatter
"""The same class under python-dockerflow's name."""

__all__ = [
    "ConsoleFormatter",
    "JsonLogFormatter",
    "MozlogFormatter",
    "MozlogHandler",
    "RequestIdLogFilter",
    "logging_config",
    "request_id_context",
    "safer_format_traceback",
]


def __getattr__(name: str) -> Any:
    """Import what a deployed process does without: lines for people."""
    if name == "ConsoleFormatter":
        from dockerflow_django.logging.console import ConsoleFormatter

        return ConsoleFormatter
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
