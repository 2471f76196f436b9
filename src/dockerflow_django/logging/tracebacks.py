"""What is told of an exception: one line for the error, and where it came from.

An exception's own text may have been chosen by an attacker, so it is shown by its `repr` and on
one line: nobody can write a frame, or a whole log line, into a traceback.
"""

import logging
import re
import traceback
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, NamedTuple, TypeAlias

from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.logging.text import one_line, safe_repr

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
)

HEADING = "Uncaught exception:\n"
FOLDED_MARK = "Traceback (most recent call last):"
CUT = "[the rest is left out]\n"

MAX_FRAMES = 200
MAX_CHAIN = 20
MAX_GROUP_WIDTH = 15  # both as in the standard library's TracebackException
MAX_GROUP_DEPTH = 10
MAX_CHARACTERS = 65_536

_CAUSE = "\nThe above exception was the direct cause of the following exception:\n\n"
_CONTEXT = "\nDuring handling of the above exception, another exception occurred:\n\n"

# What logging.Formatter appends to a message stands alone on its line.
_FOLDED = re.compile(rf"^(?:  \+ Exception Group )?{re.escape(FOLDED_MARK)}$", re.MULTILINE)


class Failure(NamedTuple):
    """An exception as a record shows it."""

    error: str
    traceback: str


def safer_format_traceback(
    exc_typ: type[BaseException] | None,
    exc_val: BaseException | None,
    exc_tb: TracebackType | None,
) -> str:
    """Return the traceback as text, with causes, contexts, notes and the members of groups."""
    if exc_val is None:
        return f"{HEADING}{exc_typ!r}\n"
    lines, size = [HEADING], 0
    for line in _chain(exc_val, exc_tb, depth=0):
        size += len(line)
        if size > MAX_CHARACTERS:
            lines.append(CUT)
            break
        lines.append(line)
    return "".join(lines)


def read_failure(
    record: logging.LogRecord, format_exception: Callable[[Any], Any]
) -> Failure | None:
    """Return the exception that the record carries, as an object or as text."""
    info: Any = record.exc_info
    if isinstance(info, BaseException):
        info = (type(info), info, info.__traceback__)
    if isinstance(info, tuple) and isinstance(info[1], BaseException):
        error = one_line(safe_repr(info[1])[:MAX_CHARACTERS])
        return Failure(scrub(error), scrub(str(format_exception(info))))
    return _from_text(str(record.exc_text)) if record.exc_text else None


def unfold(message: str) -> tuple[str, Failure] | None:
    """Take the traceback out of a message into which `QueueHandler.prepare` has folded it."""
    found = _FOLDED.search(message)
    if found is None:
        return None
    return message[: found.start()].removesuffix("\n"), _from_text(message[found.start() :])


def _chain(exc: BaseException, tb: TracebackType | None, depth: int) -> Iterator[str]:
    """Yield the lines of an exception and of what led to it, the first cause first."""
    links: list[tuple[BaseException, TracebackType | None, str]] = []
    following: tuple[BaseException, str] | None = (exc, "")
    while following is not None and len(links) < MAX_CHAIN:
        current, sentence = following
        links.append((current, current.__traceback__ if links else tb, sentence))
        following = _origin(current)
        if following is not None and any(following[0] is link[0] for link in links):
            following = None
    if following is not None:
        yield CUT
    for current, trace, sentence in reversed(links):
        yield from _lines(current, trace, depth)
        yield sentence


def _origin(exc: BaseException) -> tuple[BaseException, str] | None:
    if exc.__cause__ is not None:
        return exc.__cause__, _CAUSE
    if exc.__context__ is not None and not exc.__suppress_context__:
        return exc.__context__, _CONTEXT
    return None


def _lines(exc: BaseException, tb: TracebackType | None, depth: int) -> Iterator[str]:
    yield from traceback.format_tb(tb, limit=-MAX_FRAMES)
    yield one_line(safe_repr(type(exc))) + "\n"
    yield one_line(safe_repr(exc)[:MAX_CHARACTERS]) + "\n"
    notes = getattr(exc, "__notes__", ())
    for note in notes if isinstance(notes, list | tuple) else (notes,):
        yield f"note: {one_line(safe_repr(note)[:MAX_CHARACTERS])}\n"
    if isinstance(exc, BaseExceptionGroup):
        yield from _members(exc, depth + 1)


def _members(group: BaseExceptionGroup[Any], depth: int) -> Iterator[str]:
    for number, member in enumerate(group.exceptions, start=1):
        if number > MAX_GROUP_WIDTH or depth > MAX_GROUP_DEPTH:
            yield CUT
            return
        yield f"  +--- {number} of {len(group.exceptions)} ---\n"
        for lines in _chain(member, member.__traceback__, depth):
            yield "".join(f"  | {line}" for line in lines.splitlines(keepends=True))


def _from_text(text: str) -> Failure:
    text = scrub(text[:MAX_CHARACTERS])
    # "  | " precedes the lines of a group itself, more than that those of its members.
    lines = [line.removeprefix("  | ") for line in text.splitlines()]
    frames = [number for number, line in enumerate(lines) if line.startswith("  File ")]
    after = lines[frames[-1] + 1 :] if frames else lines
    error = next((line for line in after if line and not line.startswith("  ")), lines[-1])
    return Failure(one_line(error), HEADING + text)
