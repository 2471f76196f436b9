"""What is told of an exception: one line for the error, and Python's own traceback."""

import logging
import re
import traceback
from collections.abc import Callable, Iterable
from itertools import chain
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

from dockerflow_django.logging.description import describe
from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.text import one_line, safe_repr

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

FOLDED_MARK = "Traceback (most recent call last):"
CUT = "[the rest is left out]\n"

MAX_FRAMES = 200
MAX_CHAIN = 20
MAX_GROUP_WIDTH = 15  # both as in the standard library
MAX_GROUP_DEPTH = 10
MAX_CHARACTERS = 65_536

# What logging.Formatter appends to a message stands alone on its line.
_FOLDED = expression(rf"^(?:  \+ Exception Group )?{re.escape(FOLDED_MARK)}$", re.MULTILINE)


class Failure(NamedTuple):
    """An exception as a record shows it."""

    error: str
    traceback: str


def safer_format_traceback(
    exc_typ: type[BaseException] | None,
    exc_val: BaseException | None,
    exc_tb: TracebackType | None,
) -> str:
    """Return a traceback as Python prints it, with causes, contexts, notes and groups.

    It never reads without end: at most 200 frames, 20 causes and 65,536 characters. The arguments
    are those of `traceback.format_exception`.

    :param exc_typ: the exception's class.
    :param exc_val: the exception.
    :param exc_tb: its traceback.
    """
    if exc_typ is None or exc_val is None:
        return f"{exc_typ}: {exc_val}" if exc_typ else "NoneType: None"
    told = traceback.TracebackException(
        exc_typ,
        exc_val,
        exc_tb,
        limit=-MAX_FRAMES,
        max_group_width=MAX_GROUP_WIDTH,
        max_group_depth=MAX_GROUP_DEPTH,
    )
    lines, size = [CUT] if _shorten(told) else [], 0
    for line in told.format():
        size += len(line)
        if size > MAX_CHARACTERS:
            lines.append(CUT)
            break
        lines.append(line)
    return "".join(lines).removesuffix("\n")


def read_failure(
    record: logging.LogRecord, format_exception: Callable[[Any], Any]
) -> Failure | None:
    """Return the exception that the record carries, as an object or as text."""
    info: Any = record.exc_info
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and isinstance(info[1], BaseException):
        return Failure(one_line(_shown(info[1])), str(format_exception(info)))
    return _from_text(str(record.exc_text)) if record.exc_text else None


def unfold(message: str) -> tuple[str, Failure] | None:
    """Take the traceback out of a message into which `QueueHandler.prepare` has folded it."""
    found = _FOLDED().search(message)
    if found is None:
        return None
    return message[: found.start()].removesuffix("\n"), _from_text(message[found.start() :])


def _shown(error: BaseException) -> str:
    """Return the exception's `repr`; of what could not be decoded, the reason alone.

    A UnicodeError's `repr` holds all of it, such as the body of a request or a message.
    """
    found = _undecodable(error)
    if found is None:
        return safe_repr(error)
    return describe(error) if found is error else f"{type(error).__name__}: {describe(found)}"


def _undecodable(error: BaseException) -> UnicodeError | None:
    """Return the UnicodeError that it is or has among its arguments, as a group has its members.

    It is the type that counts: to ask for `__class__` would evaluate a lazy argument.
    """
    # The base class's own attribute: a project's class may have another.
    arguments: tuple[Any, ...] = BaseException.args.__get__(error)  # type: ignore[attr-defined]
    members = (arg[:MAX_GROUP_WIDTH] for arg in arguments if type(arg) in {list, tuple})
    every: Iterable[Any] = chain((error, *arguments), *members)
    return next((each for each in every if issubclass(type(each), UnicodeError)), None)


def _shorten(told: traceback.TracebackException) -> bool:
    """Cut a long chain of causes off, and tell whether there was more."""
    last = told
    for _ in range(MAX_CHAIN - 1):
        origin = _origin(last)
        if origin is None:
            return False
        last = origin
    had_more = _origin(last) is not None
    last.__cause__ = last.__context__ = None
    return had_more


def _origin(told: traceback.TracebackException) -> traceback.TracebackException | None:
    if told.__cause__ is None and not told.__suppress_context__:
        return told.__context__
    return told.__cause__


def _from_text(text: str) -> Failure:
    text = text[:MAX_CHARACTERS]
    # "  | " precedes the lines of a group itself, more than that those of its members.
    lines = [line.removeprefix("  | ") for line in text.splitlines()]
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    after = lines[frames[-1] + 1 :] if frames else lines
    error = next((line for line in after if line and not line.startswith("  ")), lines[-1])
    return Failure(one_line(error), text)
