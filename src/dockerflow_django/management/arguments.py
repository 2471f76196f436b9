"""How commands read arguments and variables: by the settings' casts, and in one line if wrong."""

import os
import shlex
from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

from dockerflow_django.logging.scrubbing import scrub

T = TypeVar("T")

# What argparse, and with it Django, ends with when it was called wrongly.
WRONG_USE = 2


def taken_by(cast: Callable[[object], T]) -> Callable[[str], T]:
    """Let argparse read an argument by a cast of `dockerflow_django.conf.casts`."""

    def take(text: str) -> T:
        try:
            return cast(text)
        except ValueError as error:
            raise ArgumentTypeError(f"{text!r}: it must be {error}") from None

    return take


def command_line(text: str) -> str:
    """Let argparse take a command with its arguments, if a shell could take it apart."""
    try:
        words = shlex.split(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r}: {str(error).lower()}") from None
    if not words:
        raise ArgumentTypeError(f"{text!r}: it must name a management command")
    return text


def from_environment(name: str, cast: Callable[[object], T], default: T) -> T:
    """Return the variable's value, or the default if it is unset or empty.

    Raises `CommandError`, which ends the command as a wrong argument does.
    """
    # Imported late: what `dockerflow` does needs no Django.
    from django.core.management.base import CommandError

    text = os.environ.get(name)
    if not text:
        return default
    try:
        return cast(text)
    except ValueError as error:
        message = f"the environment variable {name} is {scrub(repr(text))}, but must be {error}"
        raise CommandError(message, returncode=WRONG_USE) from None


def explain_in_one_line(parser: ArgumentParser) -> None:
    """Let a wrong argument end the command with one line, without argparse's lines of usage.

    A URL that stands in the wrong place is shown without its password.

    `call_command` gets Django's exception, as from any command.
    """
    as_django_does = parser.error

    def error(message: str) -> None:
        if getattr(parser, "called_from_command_line", True):
            parser.exit(WRONG_USE, f"{parser.prog}: error: {scrub(message)} (--help tells more)\n")
        as_django_does(scrub(message))

    parser.error = error  # type: ignore[method-assign, assignment]
