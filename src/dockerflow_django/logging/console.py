"""Write one record as one readable line, for a person at a terminal."""

import json
import logging
import os
import sys
from typing import Any, Literal

from pythonjsonlogger.core import BaseJsonFormatter

from dockerflow_django.logging.access import (
    ACCESS_LOGGERS,
    AGENT,
    CODE,
    DURATION,
    METHOD,
    PATH,
    PROTOCOL,
    SIZE,
)
from dockerflow_django.logging.content import (
    ERROR,
    MESSAGE,
    STACK,
    SUMMARY_LOGGER,
    TRACEBACK,
    read,
)
from dockerflow_django.logging.filters import RID
from dockerflow_django.logging.guard import no_database
from dockerflow_django.logging.sanitising import FieldValue, Sanitiser
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.logging.text import one_line, safe_repr
from dockerflow_django.logging.tracebacks import safer_format_traceback

_REQUEST_LOGGERS = ACCESS_LOGGERS | {SUMMARY_LOGGER}
# Of interest to machines; the line says the rest by itself.
_LEFT_OUT = (AGENT, PROTOCOL, SIZE, "errno", "lang", "route", "trace_id", "span_id")

_SHOWN_ANYWAY = ("asctime", "levelname", "levelno", "message", "msecs", "msg", "name")
_TIME_FORMAT = "%H:%M:%S"
_RID_LENGTH = 8
_INDENT = "    "

_RESET, _DIM = "\x1b[0m", "\x1b[2m"
_RED, _GREEN, _YELLOW, _CYAN = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m"


class ConsoleFormatter(logging.Formatter):
    """Format a record as one line for people: time, level, logger, request id, message, fields.

    A traceback follows on indented lines. Control characters are escaped, so what a client sent
    cannot start a new line or command the terminal.

    :param fmt: attributes of the record to show beside the extras, such as ``"%(module)s"``. It
        does not lay out the line.
    :param datefmt: the format of the time, as for `time.strftime`; ``"%H:%M:%S"`` if not given.
    :param style: the style of `fmt`: ``"%"``, ``"{"`` or ``"$"``.
    :param validate: whether a `fmt` that does not fit its style is a `ValueError`.
    :param defaults: fields for records that do not have them.
    :param color: whether to use colours. If not given: when standard output is a terminal, or as
        ``NO_COLOR`` and ``FORCE_COLOR`` in the environment say.
    """

    def __init__(  # noqa: PLR0913 - as logging.config calls it
        self,
        fmt: str | None = None,
        datefmt: str | None = None,
        style: Literal["%", "{", "$"] = "%",
        validate: bool = True,
        *,
        defaults: dict[str, Any] | None = None,
        color: bool | None = None,
    ) -> None:
        super().__init__(datefmt=datefmt or _TIME_FORMAT)
        asked_for = BaseJsonFormatter(fmt, style=style, validate=validate).parse()
        self._attributes = [name for name in asked_for if name not in _SHOWN_ANYWAY]
        self._defaults = defaults or {}
        self.color = _terminal_has_color() if color is None else color
        self._encoding = getattr(sys.stdout, "encoding", None) or "utf-8"

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line, and a traceback as indented ones. It never raises."""
        try:
            with no_database():
                text = self._text(record)
        except Exception as error:  # noqa: BLE001 - whatever happens, the record is written
            text = one_line(scrub(f"{safe_repr(record)} ({type(error).__name__})"))
        return text.encode(self._encoding, "backslashreplace").decode(self._encoding)

    def _text(self, record: logging.LogRecord) -> str:
        notes: list[str] = []
        raw = read(record, notes, lambda info: safer_format_traceback(*info))
        asked_for = {name: getattr(record, name, None) for name in self._attributes}
        fields = Sanitiser(notes).fields(self._defaults | asked_for | raw)
        if TRACEBACK in fields:
            fields.pop(ERROR, None)  # its last line says that
        below = "".join(_indented(fields.pop(name, "")) for name in (TRACEBACK, STACK))
        words = [
            self._dim(f"{self.formatTime(record, self.datefmt)}.{int(record.msecs):03d}"),
            self._level(record),
            self._dim(one_line(str(record.name))),
            self._rid(fields),
            self._request(record.name, fields),
            one_line(str(fields.pop(MESSAGE, ""))),
            *(f"{self._dim(one_line(name) + '=')}{_shown(fields[name])}" for name in fields),
            *(self._paint(one_line(note), _YELLOW) for note in notes),
        ]
        return " ".join(word for word in words if word) + below

    def _level(self, record: logging.LogRecord) -> str:
        name = one_line(str(record.levelname)).ljust(8)
        if record.levelno >= logging.ERROR:
            return self._paint(name, _RED)
        if record.levelno >= logging.WARNING:
            return self._paint(name, _YELLOW)
        return self._paint(name, _GREEN if record.levelno >= logging.INFO else _DIM)

    def _rid(self, fields: dict[str, FieldValue]) -> str:
        rid = fields.pop(RID, None)
        return "" if rid is None else self._paint(one_line(str(rid)[:_RID_LENGTH]), _CYAN)

    def _request(self, logger_name: str, fields: dict[str, FieldValue]) -> str:
        """Take the fields of a request out, and return them as in `GET /path 200 12ms`."""
        if logger_name not in _REQUEST_LOGGERS or CODE not in fields:
            return ""
        for name in _LEFT_OUT:
            fields.pop(name, None)
        words = [one_line(str(fields.pop(name, "-"))) for name in (METHOD, PATH, CODE)]
        words[2] = self._paint(words[2], _code_color(words[2]))
        if DURATION in fields:
            words.append(f"{fields.pop(DURATION)}ms")
        return " ".join(words)

    def _dim(self, text: str) -> str:
        return self._paint(text, _DIM)

    def _paint(self, text: str, color: str) -> str:
        return f"{color}{text}{_RESET}" if self.color else text


def _indented(text: FieldValue) -> str:
    # Indented lines cannot be taken for another record, whoever wrote them.
    return "".join(f"\n{_INDENT}{one_line(line)}" for line in str(text).splitlines())


def _shown(value: FieldValue) -> str:
    is_bare = isinstance(value, str) and value and not any(mark in value for mark in " =\"'")
    return one_line(str(value) if is_bare else json.dumps(value, ensure_ascii=False))


def _code_color(code: str) -> str:
    return {"2": _GREEN, "4": _YELLOW, "5": _RED}.get(code[:1], _CYAN)


def _terminal_has_color() -> bool:
    """Follow https://no-color.org and https://force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return os.environ.get("TERM") != "dumb" and sys.stdout is not None and sys.stdout.isatty()
