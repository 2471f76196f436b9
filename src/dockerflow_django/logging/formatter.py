"""Write one record as one line of mozlog JSON (https://wiki.mozilla.org/Firefox/Services/Logging).

Nearly all records hold only plain values, and take the quick way: the envelope comes ready-made
from a cache, the fields go through a C encoder. What the quick way cannot be sure of it leaves to
the careful way, which takes each value apart, so that the line is valid whatever was logged.
"""

import json
import logging
import socket
import time
from collections.abc import Callable, Mapping
from datetime import date, datetime
from decimal import Decimal
from pathlib import PosixPath, WindowsPath
from types import NoneType
from typing import Any, ClassVar
from uuid import UUID

from pythonjsonlogger.core import BaseJsonFormatter

from dockerflow_django.logging.access import speaks_of_requests
from dockerflow_django.logging.content import (
    FORMATTER_ERROR,
    LEFT_BY_FORMATTERS,
    MESSAGE,
    STANDARD,
    SUMMARY_LAST,
    SUMMARY_LOGGER,
    SUMMARY_NAMES,
    Fields,
    holds_secret_arguments,
    read,
)
from dockerflow_django.logging.encoding import best_encoder, dump_strictly, has_orjson
from dockerflow_django.logging.envelope import (
    ENV_VERSION,
    FIELDS,
    HOSTNAME,
    LOGGER,
    MAX_TIMESTAMP,
    PID,
    SEVERITY,
    TIMESTAMP,
    TYPE,
    as_text,
    nanoseconds,
    severity,
)
from dockerflow_django.logging.guard import no_database
from dockerflow_django.logging.layout import Layouts
from dockerflow_django.logging.making import FACTORYS_FILE, OWN_FILE
from dockerflow_django.logging.sanitising import MAX_TEXT, Sanitiser, is_secret
from dockerflow_django.logging.scrubbing import may_hold_secrets, scrub
from dockerflow_django.logging.text import free_name, safe_repr
from dockerflow_django.logging.tracebacks import FOLDED_MARK, ExcInfo, safer_format_traceback

DEFAULT_LOGGER_NAME = "Dockerflow"
MAX_HEADS = 1_000

_BEGIN = f'{{"{TIMESTAMP}":'
_PLAIN = frozenset((str, int, float, bool))
_PRINTABLE = frozenset(
    (*_PLAIN, NoneType, bytes, date, datetime, Decimal, UUID, PosixPath, WindowsPath)
)
# What `fmt` may ask for; extras are shown without being asked for.
_SHOWABLE = frozenset((*STANDARD, "asctime")) - {MESSAGE}


class MozlogFormatter(BaseJsonFormatter):
    """Format a record as one line of JSON in mozlog 2.0.

    A subclass may override `process_log_record`, `convert_record` and `formatException`. One that
    overrides the first or the second is slower: it looks at each value of every record.

    :param fmt: attributes of the record to show among the fields, beside the extras:
        ``["module", "lineno"]``, or ``"%(module)s %(lineno)d"``. It does not lay out the line.
    :param datefmt: the format of ``asctime``, if `fmt` names that.
    :param style: the style of `fmt`: ``"%"``, ``"{"`` or ``"$"``.
    :param logger_name: the name of the service, ``Logger`` in the line.
    :param validate: whether a `fmt` that does not fit its style is a `ValueError`.
    :param defaults: fields for records that do not have them.
    """

    LOGGING_FORMAT_VERSION: ClassVar[str] = "2.0"
    """The version of mozlog."""

    SYSLOG_LEVEL_MAP: ClassVar[Mapping[int, int]] = {
        logging.CRITICAL: 2,
        logging.ERROR: 3,
        logging.WARNING: 4,
        logging.INFO: 6,
        logging.DEBUG: 7,
    }
    """Syslog's number for each level; one between two levels has the lower level's number."""

    DEFAULT_SYSLOG_LEVEL: ClassVar[int] = 7
    """The number of a level below all of them."""

    def __init__(  # noqa: PLR0913 - as logging.config and python-dockerflow call it
        self,
        fmt: str | list[str] | tuple[str, ...] | None = None,
        datefmt: str | None = None,
        style: str = "%",
        logger_name: str | bool = DEFAULT_LOGGER_NAME,
        validate: bool = True,
        *,
        defaults: dict[str, Any] | None = None,
    ) -> None:
        # The fourth is the name for python-dockerflow, and `validate` for `logging.config`.
        if isinstance(logger_name, bool):
            validate = logger_name
        super().__init__(fmt, datefmt, style, validate, defaults=defaults)
        self.logger_name = logger_name if isinstance(logger_name, str) else DEFAULT_LOGGER_NAME
        self.hostname = socket.gethostname()
        self._attributes = [name for name in self._required_fields if name in _SHOWABLE]
        self._encode = best_encoder()
        self._heads: dict[tuple[Any, ...], str | None] = {}
        self._adds_fields = bool(self._attributes or self.defaults)
        self._encode_summary = None if self._adds_fields else self._summary_encoder()
        own = type(self)
        self._converts = own.convert_record is not MozlogFormatter.convert_record
        self._processes = own.process_log_record is not BaseJsonFormatter.process_log_record

    def format(self, record: logging.LogRecord) -> str:
        """Return the record as one line of JSON, without a newline at its end. It never raises."""
        if not self._converts:
            return self._line(record)
        try:
            line = self.convert_record(record)
            line[FIELDS] = Sanitiser().fields(line[FIELDS])
            return self.jsonify_log_record(line)
        except Exception as error:  # noqa: BLE001 - a subclass's mistake must not cost the record
            return self._careful(record, [f"convert_record: {type(error).__name__}"])

    def convert_record(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the line as a dict; ``Fields`` in it is one too."""
        line: dict[str, Any] = json.loads(self._line(record))
        return line

    def jsonify_log_record(self, log_data: dict[str, Any]) -> str:
        """Return such a dict as strict JSON.

        :param log_data: the whole line.
        """
        return dump_strictly(log_data)

    def formatException(self, ei: ExcInfo) -> str:  # noqa: N802 - logging's name
        """Return the traceback as text, as `safer_format_traceback` does."""
        return safer_format_traceback(*ei)

    def _line(self, record: logging.LogRecord) -> str:
        try:
            quick = self._quick(record)
        except Exception:  # noqa: BLE001 - the careful way finds out what it is
            quick = None
        return quick or self._careful(record, [])

    def _quick(self, record: logging.LogRecord) -> str | None:
        """Return the line of a record that holds nothing but plain values; else None, or raise."""
        key = (record.name, record.levelno, record.process, self.logger_name)
        try:
            head = self._heads[key]
        except KeyError:
            head = self._new_head(key)
        timestamp = int(record.created * 1e9)
        message = record.msg
        if (
            head is None
            or not 0 <= timestamp < MAX_TIMESTAMP
            or record.exc_info
            or record.exc_text
            or record.stack_info
            or type(message) is not str
        ):
            return None
        if message or record.args:
            if record.args and not _are_simple(record.args):
                return None
            message = record.getMessage()
            if FOLDED_MARK in message:
                return None
        # What a summary is made with is scrubbed then, but not what a filter adds to it.
        is_made_here = record.pathname is OWN_FILE and not message
        text = None
        if is_made_here and self._encode_summary is not None:
            text = self._encode_summary(record.__dict__)
        if text is None:
            fields = self._plain_fields(record, message)
            if fields is None or not (
                (is_made_here and _is_whole(fields))
                or (_scrub_added if _is_summary(record) else _scrub)(fields)
            ):
                return None
            text = self._encode(fields)
        # A long line may hold a value that is too long: the careful way looks.
        if len(text) > MAX_TEXT:
            return None
        return f"{_BEGIN}{timestamp}{head}{text}}}"

    def _summary_encoder(self) -> Callable[[dict[str, Any]], str | None]:
        """Return what encodes the extras of a summary as it was made; None is for the other way."""
        encode = self._encode
        if not has_orjson():
            return Layouts(STANDARD, SUMMARY_LAST).encode

        def encode_plain(attributes: dict[str, Any]) -> str | None:
            fields = attributes.copy()
            for name in STANDARD:
                del fields[name]
            is_plain = _PLAIN.issuperset(map(type, fields.values()))
            return encode(fields) if is_plain and next(reversed(fields)) == SUMMARY_LAST else None

        return encode_plain

    def _plain_fields(self, record: logging.LogRecord, message: str) -> Fields | None:
        fields = record.__dict__.copy()
        # Faster than to look up every name in a set. Another Python's record lacks one: KeyError.
        for name in STANDARD:
            del fields[name]
        if "message" in fields:
            for name in LEFT_BY_FORMATTERS:
                fields.pop(name, None)
        if self._adds_fields:
            fields = self.defaults | fields | self._asked_for(record)
        if message or not fields:
            fields[MESSAGE] = message
        if not _PLAIN.issuperset(map(type, fields.values())):
            fields = {name: value for name, value in fields.items() if value is not None}
            if not (fields and all(map(_is_simple, fields.values()))):
                return None
        return fields

    def _careful(self, record: logging.LogRecord, notes: list[str]) -> str:
        try:
            with no_database():
                fields = self._fields(record, notes)
            head = self._head(record.name, record.levelno, record.process)
            timestamp = nanoseconds(record.created)
        except Exception as error:  # noqa: BLE001 - whatever happens, the record is written
            notes.append(f"record: {type(error).__name__}")
            fields = Sanitiser().fields({MESSAGE: safe_repr(record), FORMATTER_ERROR: notes})
            head = self._head(__name__, logging.ERROR, None)
            timestamp = time.time_ns()
        return dump_strictly({TIMESTAMP: timestamp, **head, FIELDS: fields})

    def _fields(self, record: logging.LogRecord, notes: list[str]) -> Fields:
        raw = self.defaults | read(record, notes, self.formatException)
        for name, value in self._asked_for(record).items():
            raw[free_name(name, raw)] = value
        if self._processes:
            raw = self._processed(raw, notes)
        fields = Sanitiser(notes).fields(raw)
        if notes:
            if FORMATTER_ERROR in fields:
                fields[free_name(FORMATTER_ERROR, fields)] = fields[FORMATTER_ERROR]
            fields[FORMATTER_ERROR] = notes
        return fields or {MESSAGE: ""}

    def _processed(self, raw: Fields, notes: list[str]) -> Fields:
        try:
            return dict(self.process_log_record(raw.copy()))
        except Exception as error:  # noqa: BLE001 - a subclass's mistake must not cost the record
            notes.append(f"process_log_record: {type(error).__name__}")
            return raw

    def _asked_for(self, record: logging.LogRecord) -> Fields:
        values = {name: getattr(record, name, None) for name in self._attributes}
        if "asctime" in values:
            values["asctime"] = self.formatTime(record, self.datefmt)
        return values

    def _new_head(self, key: tuple[Any, ...]) -> str | None:
        """Return the envelope as it stands between the timestamp and the fields."""
        if len(self._heads) >= MAX_HEADS:
            self._heads.clear()
        name, levelno, process, _ = key
        if self._processes or speaks_of_requests(name):
            head = None
        else:
            envelope = json.dumps(self._head(name, levelno, process), separators=(",", ":"))
            head = f',{envelope[1:-1]},"{FIELDS}":'
        self._heads[key] = head
        return head

    def _head(self, name: Any, levelno: Any, process: Any) -> dict[str, Any]:
        head = {
            TYPE: as_text(name),
            LOGGER: as_text(self.logger_name),
            HOSTNAME: as_text(self.hostname),
            ENV_VERSION: self.LOGGING_FORMAT_VERSION,
            SEVERITY: severity(levelno, self.SYSLOG_LEVEL_MAP, self.DEFAULT_SYSLOG_LEVEL),
        }
        if type(process) is int and process >= 0:
            head[PID] = process
        return head


def _are_simple(args: Any) -> bool:
    """Tell whether arguments are made text without running anybody's code."""
    if type(args) is dict:
        return _PRINTABLE.issuperset(map(type, args.values())) and not holds_secret_arguments(args)
    return _PRINTABLE.issuperset(map(type, args if type(args) is tuple else (args,)))


def _is_whole(fields: Fields) -> bool:
    """Tell whether a summary has the fields that it was made with and no more."""
    return bool(next(reversed(fields)) == SUMMARY_LAST)


def _is_summary(record: logging.LogRecord) -> bool:
    """Tell whether the app has made it: a project may use its logger, too."""
    file = record.pathname
    return record.name == SUMMARY_LOGGER and (file is OWN_FILE or file is FACTORYS_FILE)


def _scrub_added(fields: Fields) -> bool:
    """Do as `_scrub` does with what a summary has besides its own fields."""
    added = {name: value for name, value in fields.items() if name not in SUMMARY_NAMES}
    is_done = _scrub(added)
    fields.update(added)
    return is_done


def _scrub(fields: Fields) -> bool:
    """Take secrets out of plain fields, and tell whether that was all that there is to do."""
    for name, value in fields.items():
        if type(value) is str:
            if may_hold_secrets(value):
                fields[name] = scrub(value)
        elif type(value) is list:
            return False
        if is_secret(name, value):
            return False
    return True


def _is_simple(value: Any) -> bool:
    kind = type(value)
    return kind in _PLAIN or (kind is list and {*map(type, value)} == {str})
