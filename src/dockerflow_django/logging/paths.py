"""Hide secrets in a raw path, such as the token in a password-reset link.

A request has `resolver_match` to tell the values of its URL parameters; a server's access record
has only the path. So the path is matched against the URLconf here, by regular expressions alone:
no converter runs, for it could be slow, raise, or ask the database.
"""

import re
import sys
from typing import Any

from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.logging.secret_names import is_secret_name

MAX_PATH = 8_192
"""Servers take no longer one; a project's expressions may take long for it."""

# For a path that no URL pattern knows. The first is Django's PasswordResetTokenGenerator's; the
# second is long and has letters and digits, but is no UUID.
_TOKEN_LIKE = expression(
    r"""(?<=/) (?: [0-9a-z]{1,13}-[0-9a-f]{32}
      | (?! [0-9a-fA-F]{8} (?:-[0-9a-fA-F]{4}){3} - )
        (?= [^/]{0,512}[0-9] ) (?= [^/]{0,512}[A-Za-z] ) [\w.~=:-]{32,}(?:%3[Dd])* ) (?=/|$)""",
    re.VERBOSE,
)
# The active language is the request's, and that is over when a server logs.
_ANY_LANGUAGE = expression(r"(?:[a-z]{2,3}(?:-[A-Za-z0-9]{2,8})*/)?")


def redact_path(path: str, urlconf: Any = None) -> str:
    """Return the path without its query string and without values that look secret.

    One without its last slash is looked up with it too: it may be on its way to be redirected.
    `urlconf` is that of the request, if it has one of its own.
    """
    path = path.partition("?")[0]
    spans = _spans_of(path, urlconf) if len(path) <= MAX_PATH else None
    if spans is None:
        return hide_tokens(path)
    for start, end in sorted(spans, reverse=True):
        path = path[:start] + REDACTED + path[end:]
    return path


def hide_tokens(text: str) -> str:
    """Return the text without path segments that look like tokens."""
    return _TOKEN_LIKE().sub(REDACTED, text)


def _spans_of(path: str, urlconf: Any) -> list[tuple[int, int]] | None:
    try:
        spans = _secret_spans(path, urlconf)
        if spans is None and not path.endswith("/"):
            spans = _secret_spans(f"{path}/", urlconf)
    except Exception:  # noqa: BLE001 - a broken URLconf must not cost the record
        return None
    return spans


def _secret_spans(path: str, urlconf: Any) -> list[tuple[int, int]] | None:
    """Return the spans of secret-looking URL parameters' values; None if no URL matches."""
    if "django.urls" not in sys.modules:
        return None
    from django.urls import get_resolver, get_script_prefix, get_urlconf

    prefix = get_script_prefix()
    start = len(prefix) - 1 if path.startswith(prefix) else 0
    return _match(get_resolver(urlconf or get_urlconf()), path, start)


def _match(node: Any, path: str, start: int) -> list[tuple[int, int]] | None:
    """Follow the path through a URLResolver or URLPattern, from `start` on."""
    # `^` matches only at the beginning of a string, whatever `pos` says: hence the slice.
    found = _regex(node.pattern).match(path[start:])
    if found is None:
        return None
    spans = [
        (start + found.start(name), start + found.end(name))
        for name, value in found.groupdict().items()
        if value and is_secret_name(name)
    ]
    children = getattr(node, "url_patterns", None)
    if children is None:
        return spans
    below = (_match(child, path, start + found.end()) for child in children)
    matched = next((more for more in below if more is not None), None)
    return None if matched is None else spans + matched


def _regex(pattern: Any) -> re.Pattern[str]:
    if hasattr(pattern, "prefix_default_language"):  # django.urls.LocalePrefixPattern
        return _ANY_LANGUAGE()
    regex: re.Pattern[str] = pattern.regex
    return regex
