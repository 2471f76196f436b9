"""Read what servers log about requests: access records become fields, paths lose their secrets.

The records keep no address of the client and no header but the user agent: what is personal is
the summary's to show, if its settings say so.
"""

import copy
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias, TypeGuard
from urllib.parse import unquote

from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.paths import hide_tokens, redact_path
from dockerflow_django.logging.text import from_wsgi

Fields: TypeAlias = dict[str, Any]

# As in the request summary, so that one query finds both.
METHOD = "method"
PATH = "path"
CODE = "code"
PROTOCOL = "protocol"
SIZE = "size"
DURATION = "t"
AGENT = "agent"

MAX_AGENT = 512

MAX_PATHS = 16
"""How many paths of one message are looked up."""

_REQUEST_LINE = expression(r"([A-Z]{1,32}) (\S+)(?: (HTTP/[\d.]+))?")
# An access record that a queue has made text of.
_ACCESS_TEXT = expression(
    r'(?:"|^)(?P<method>[A-Z]{1,32}) (?P<path>/[^\s"]*+)(?: (?P<protocol>HTTP/[\d.]{1,8}))?"?'
    r" (?P<code>\d{3})(?!\d)"
)
_PATH = expression(r"(?<!\w)/[^\s\"']*+")
_QUERY = expression(r"\?[^\s\"']++")
# Django writes the path last, with spaces and quotes.
_LAST_PATH = expression(r"(?<=: )/[^\r\n]*+")


def speaks_of_requests(logger_name: str) -> bool:
    """Tell whether records of that logger have a path in their arguments or text."""
    return logger_name in _READERS or logger_name.startswith(_PATHS_IN_ARGUMENTS)


def read_access(logger_name: str, record: logging.LogRecord) -> Fields | None:
    """Return the fields of a server's access record; None if it is something else."""
    reader = _READERS.get(logger_name)
    if reader is None:
        return None
    try:
        raw = reader(record.args) if record.args else _from_text(record.getMessage())
        return None if raw is None else _presentable(raw)
    except Exception:  # noqa: BLE001 - another version of the server may log something else
        return None


def message_without_secrets(record: logging.LogRecord) -> str:
    """Return the message, its paths redacted and without query strings; may raise as it does."""
    if not isinstance(record.args, tuple) or not any(map(_is_path, record.args)):
        return redact_paths(record, record.getMessage())
    clone, urlconf = copy.copy(record), _urlconf_of(record)
    clone.args = tuple(redact_path(a, urlconf) if _is_path(a) else a for a in record.args)
    return clone.getMessage()


def redact_paths(record: logging.LogRecord, text: str) -> str:
    """Return a text of the record with its paths redacted, as many as a server writes in one."""
    paths = _LAST_PATH() if record.name.startswith(_DJANGO) else _PATH()
    urlconf = _urlconf_of(record)
    text, count = paths.subn(lambda found: redact_path(found[0], urlconf), text, count=MAX_PATHS)
    return text if count < MAX_PATHS else hide_tokens(_QUERY().sub("", text))


def _urlconf_of(record: logging.LogRecord) -> Any:
    """Return the URLconf of a request of Django's that has its own: a tenant's may have."""
    return getattr(getattr(record, "request", None), "urlconf", None)


def _is_path(arg: Any) -> TypeGuard[str]:
    return type(arg) is str and arg.startswith("/")


def _from_text(text: str) -> Fields | None:
    found = _ACCESS_TEXT().search(text)
    if found is None:
        return None
    fields = found.groupdict()
    return {**fields, PATH: unquote(fields[PATH])}


def _gunicorn(atoms: Any) -> Fields:
    path = atoms["U"]
    return {
        METHOD: atoms["m"],
        # If Gunicorn refuses a request or answers a failure itself there is no `PATH_INFO`.
        PATH: unquote(atoms["{raw_uri}e"]) if path is None else from_wsgi(path),
        PROTOCOL: atoms["H"],
        CODE: atoms["s"],
        SIZE: atoms["B"],
        DURATION: atoms["D"] / 1000,
        AGENT: atoms["a"],
    }


def _uvicorn(args: Any) -> Fields:
    _address, method, path, version, code = args
    return {METHOD: method, PATH: unquote(path), PROTOCOL: f"HTTP/{version}", CODE: code}


def _granian(atoms: Any) -> Fields:
    return {
        METHOD: atoms["method"],
        PATH: from_wsgi(atoms["path"]),
        PROTOCOL: atoms["protocol"],
        CODE: atoms["status"],
        DURATION: atoms["dt_ms"],
    }


def _runserver(args: Any) -> Fields | None:
    line, code, size = args
    found = _REQUEST_LINE().fullmatch(line)
    if found is None:
        return None
    method, path, protocol = found.groups()
    return {METHOD: method, PATH: unquote(path), PROTOCOL: protocol, CODE: code, SIZE: size}


_READERS: Mapping[str, Callable[[Any], Fields | None]] = {
    "django.server": _runserver,
    "granian.access": _granian,
    "gunicorn.access": _gunicorn,
    "uvicorn.access": _uvicorn,
}
ACCESS_LOGGERS = frozenset(_READERS)
_DJANGO = ("django.request", "django.security")
_PATHS_IN_ARGUMENTS = (*_DJANGO, "gunicorn.error", "uvicorn.error")


def _presentable(raw: Fields) -> Fields:
    fields = {name: value for name, value in raw.items() if value not in (None, "", "-")}
    fields[PATH] = redact_path(fields[PATH])
    fields[CODE] = int(fields[CODE])
    if SIZE in fields:
        fields[SIZE] = int(fields[SIZE])
    if DURATION in fields:
        fields[DURATION] = round(fields[DURATION])
    if AGENT in fields:
        fields[AGENT] = fields[AGENT][:MAX_AGENT]
    return fields
