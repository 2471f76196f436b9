"""Log lines that machines can read (mozlog) and people too (console).

Nothing here imports Django: a `LOGGING` setting names these classes while settings load.
"""

from dockerflow_django.context import request_id_context
from dockerflow_django.logging.config import logging_config
from dockerflow_django.logging.console import ConsoleFormatter
from dockerflow_django.logging.filters import RequestIdLogFilter
from dockerflow_django.logging.formatter import MozlogFormatter
from dockerflow_django.logging.handlers import MozlogHandler
from dockerflow_django.logging.tracebacks import safer_format_traceback

JsonLogFormatter = MozlogFormatter
"""The older name."""

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
