"""Where commands write: JSON alone on standard output, and text in the colours that Django uses."""

import os
import sys

from django.core import checks
from django.core.management.base import BaseCommand, OutputWrapper
from django.core.management.color import Style

STANDARD_OUTPUT, STANDARD_ERROR = 1, 2


def reserve_standard_output(command: BaseCommand) -> None:
    """Keep standard output for what the command writes; the rest goes to standard error.

    This is done with descriptors, and until the process ends: a log handler holds the stream that
    was there when it was made, and a check may print, run a program, or log while Python ends.
    A command that was called from Python shares its process, and changes nothing.
    """
    if not getattr(command, "_called_from_command_line", False):
        return
    sys.stdout.flush()
    ours = os.dup(STANDARD_OUTPUT)
    os.dup2(STANDARD_ERROR, STANDARD_OUTPUT)
    stream = open(ours, "w", encoding=sys.stdout.encoding, buffering=1)  # noqa: SIM115, PTH123
    command.stdout = OutputWrapper(stream)


def coloured(text: str, level: int, style: Style) -> str:
    """Return the text in the colour that Django gives to a message of that level.

    An INFO message is the exception: Django's default for a notice is the red of an error.
    """
    if level >= checks.ERROR:
        return str(style.ERROR(text))
    if level >= checks.WARNING:
        return str(style.WARNING(text))
    return str(style.HTTP_INFO(text) if level else style.SUCCESS(text))
