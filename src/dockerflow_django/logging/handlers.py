"""A handler that writes mozlog to a stream."""

import copy
import logging
import sys
from typing import TextIO

from dockerflow_django.logging.formatter import DEFAULT_LOGGER_NAME, MozlogFormatter


class MozlogHandler(logging.StreamHandler[TextIO]):
    """Write mozlog to standard output, or to another stream.

    `name` is the `Logger` of the lines, in place of the formatter's own. The record is the same
    for all handlers, and stays as it is.
    """

    def __init__(self, stream: TextIO | None = None, name: str = DEFAULT_LOGGER_NAME) -> None:
        super().__init__(sys.stdout if stream is None else stream)
        self.logger_name = name
        self.setFormatter(MozlogFormatter())

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - logging's name
        """Use this formatter, under the name of this handler if it was given one."""
        if isinstance(fmt, MozlogFormatter) and self.logger_name != DEFAULT_LOGGER_NAME:
            fmt = copy.copy(fmt)
            fmt.logger_name = self.logger_name
        super().setFormatter(fmt)
