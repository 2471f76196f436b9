"""Read a record: its message, extras and exception, as fields that still hold any value.

Both formatters share this; each makes the values presentable in its way. No record is changed.
"""

import copy
import logging
from collections.abc import Callable, Mapping
from pathlib import PurePath
from typing import Any, TypeAlias

from dockerflow_django.logging.access import (
    message_without_secrets,
    read_access,
    redact_paths,
    speaks_of_requests,
)
from dockerflow_django.logging.sanitising import is_secret
from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.logging.text import free_name, safe_repr
from dockerflow_django.logging.tracebacks import Failure, read_failure, unfold

Fields: TypeAlias = dict[Any, Any]

SUMMARY_LOGGER = "request.summary"
SUMMARY_NAMES = frozenset({
    "code", "db_queries", "errno", "method", "path", "remoteAddressChain", "rid", "route",
    "sample_rate", "size", "span_id", "t", "t_db", "trace_id",
})  # fmt: skip
"""The fields of a summary that are not scrubbed once more: the others a filter may have added."""
SUMMARY_LAST = "errno"
"""The last field that a summary is made with: what is added to its record later comes after it."""

MESSAGE = "msg"
ARGUMENTS = "args"
ERROR = "error"
TRACEBACK = "traceback"
STACK = "stack_info"
FORMATTER_ERROR = "formatter_error"
"""The field, a list of texts, that tells what of a record could not be shown as it is."""

STANDARD = tuple(vars(logging.LogRecord("", 0, "", 0, "", (), None)))
"""What every record of this Python has: before 3.12 without `taskName`, which is an extra there.

A record factory may add more; `logging.makeLogRecord` would ask it.
"""
LEFT_BY_FORMATTERS = ("message", "asctime")

# Django attaches the request itself, or its socket, and the moment or status that its other fields
# tell, too; uvicorn the message once more, with colours.
_REQUEST = "request"
# Any other object of that name may be a request, or hold one: its text may tell a token's path.
_DATA = (str, bytes, int, float, dict, list, tuple, set, frozenset, PurePath)
_NOISE = {
    "django.server": ("server_time", "status_code"),
    "uvicorn": ("color_message",),
    "uvicorn.error": ("color_message",),
}
_NOT_EXTRAS = frozenset((*STANDARD, *LEFT_BY_FORMATTERS))


def read(
    record: logging.LogRecord, notes: list[str], format_exception: Callable[[Any], Any]
) -> Fields:
    """Return the fields of a record, and add to `notes` what could not be read.

    The record's own names win: an extra called like one of them is kept as `fields.<name>`.
    """
    logger_name = record.name if isinstance(record.name, str) else ""
    access = read_access(logger_name, record)
    fields = _message(record, logger_name, notes) if access is None else access
    fields |= _failure(record, notes, format_exception)
    if record.stack_info:
        fields[STACK] = record.stack_info
    message: Any = record.msg
    said = message if issubclass(type(message), dict) else {}
    for name, value in (*_extras(record, logger_name).items(), *said.items()):
        fields[free_name(name, fields)] = value
    return fields


def _extras(record: logging.LogRecord, logger_name: str) -> Fields:
    extras = {name: value for name, value in vars(record).items() if name not in _NOT_EXTRAS}
    for name in _NOISE.get(logger_name, ()):
        extras.pop(name, None)
    if not issubclass(type(extras.get(_REQUEST)), _DATA):
        extras.pop(_REQUEST, None)
    return extras


def _message(record: logging.LogRecord, logger_name: str, notes: list[str]) -> Fields:
    if issubclass(type(record.msg), dict):
        return {ARGUMENTS: record.args} if record.args else {}
    try:
        return _message_fields(record, logger_name)
    except BaseException as error:  # noqa: BLE001 - wrong arguments must not cost the record
        notes.append(f"{MESSAGE}: {type(error).__name__}")
        return {MESSAGE: record.msg, ARGUMENTS: record.args}


def holds_secret_arguments(args: Any) -> bool:
    """Tell whether arguments by name have a secret's: `"%(password)s", {"password": …}`."""
    return issubclass(type(args), Mapping) and any(is_secret(_name(key), args[key]) for key in args)


def _without_secret_arguments(record: logging.LogRecord) -> logging.LogRecord:
    if not holds_secret_arguments(record.args):
        return record
    args: Any = record.args
    clone = copy.copy(record)
    clone.args = {k: REDACTED if is_secret(_name(k), v) else v for k, v in args.items()}
    return clone


def _name(key: Any) -> str:
    return key if type(key) is str else ""


def _message_fields(record: logging.LogRecord, logger_name: str) -> Fields:
    record = _without_secret_arguments(record)
    has_paths = speaks_of_requests(logger_name)
    text = message_without_secrets(record) if has_paths else record.getMessage()
    if record.exc_info or record.exc_text:
        return _text_field(text)
    found = unfold(record.getMessage() if has_paths else text)
    if found is None:
        return _text_field(text)
    text, failure = found
    text = redact_paths(record, text) if has_paths else text
    return _text_field(text) | _failure_fields(failure)


def _text_field(text: str) -> Fields:
    return {MESSAGE: text} if text else {}


def _failure(
    record: logging.LogRecord, notes: list[str], format_exception: Callable[[Any], Any]
) -> Fields:
    try:
        failure = read_failure(record, format_exception)
    except BaseException as error:  # noqa: BLE001 - an exception's attributes are anybody's code
        notes.append(f"{TRACEBACK}: {type(error).__name__}")
        return {ERROR: safe_repr(record.exc_info)}
    return _failure_fields(failure) if failure else {}


def _failure_fields(failure: Failure) -> Fields:
    return {ERROR: failure.error, TRACEBACK: failure.traceback}
