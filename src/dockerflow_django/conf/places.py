"""Casts, as those in `casts`, for what names a place: a file, a host, a URL."""

import os
import re
from pathlib import PurePath
from urllib.parse import urlsplit

from dockerflow_django.conf.casts import is_utf8

_SPACES = re.compile(r"[\0- \x7f]")


def host(raw: object) -> str:
    """Take the name or the address of a host; whether there is one, the network knows."""
    if not isinstance(raw, str) or not raw or "\0" in raw or not _is_host(raw):
        raise ValueError("the address or the name of a host, like '0.0.0.0'")
    return raw


def absolute_path(raw: object) -> str:
    """Take the absolute path of a file, a string or a `pathlib.Path`."""
    if not isinstance(raw, (str, PurePath)) or not _is_path_of_file(PurePath(raw)):
        raise ValueError("an absolute path, like '/run/app/draining'")
    return str(raw)


def web_url(raw: object) -> str:
    """Take an http or https URL with a host, written as a request can have it."""
    if not isinstance(raw, str) or not _is_web_url(raw):
        raise ValueError("an http or https URL with a host, its path in ASCII and without spaces")
    return raw


def _is_path_of_file(path: PurePath) -> bool:
    try:
        return path.is_absolute() and bool(path.name) and b"\0" not in os.fsencode(path)
    except UnicodeEncodeError:
        return False


def _is_web_url(raw: str) -> bool:
    try:
        parts = urlsplit(raw)
        is_asked = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is no number, a bracket that is not closed
        return False
    target = parts.path + parts.query
    return is_asked and is_utf8(raw) and target.isascii() and not _SPACES.search(raw)


def _is_host(raw: str) -> bool:
    try:
        raw.encode("idna")
    except UnicodeError:  # a label that is empty or too long
        return False
    return True
