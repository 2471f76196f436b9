"""A handler that writes mozlog to a stream."""

import copy
import logging
import sys
from typing import TextIO

from dockerflow_django.logging.formatter import DEFAULT_LOGGER_NAME, MozlogFormatter


class MozlogHandler(logging.StreamHandler[TextIO]):
    """A stream handler that has a `MozlogFormatter` already. The record is not changed.

    :param stream: where to write; standard output if not given.
    :param name: the name of the service, ``Logger`` in the lines; the formatter's own if not given.
    """

    def __init__(self, stream: TextIO | None = None, name: str = DEFAULT_LOGGER_NAME) -> None:
        super().__init__(sys.stdout if stream is None else stream)
        self.logger_name = name
        self.setFormatter(MozlogFormatter())

    def setFormatter(self, fmt: logging.Formatter | None) -> None:  # noqa: N802 - logging's name
        """Use another formatter; a `MozlogFormatter` gets this handler's name, if it has one."""
        if isinstance(fmt, MozlogFormatter) and self.logger_name != DEFAULT_LOGGER_NAME:
            fmt = copy.copy(fmt)
            fmt.logger_name = self.logger_name
        super().setFormatter(fmt)
