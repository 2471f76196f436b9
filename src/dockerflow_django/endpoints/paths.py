"""Where the endpoints are: a table from path to endpoint, built once per URLconf.

Its paths have no script prefix, like ``request.path_info``, and no trailing slash.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import unquote

from django.core.signals import setting_changed
from django.urls import NoReverseMatch, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils.functional import Promise

from dockerflow_django._state import keeps
from dockerflow_django.conf import APP_NAME
from dockerflow_django.endpoints.answers import Endpoint
from dockerflow_django.health import PROBES

NAMES = ("version", "lbheartbeat", "heartbeat", "error")

# What `django.urls.path` makes of a route without parameters, and plain regular expressions. A bare
# dot is taken for the dot that is meant.
_LITERAL = re.compile(r"\^?(?:[^\\^$*+?{}\[\]|()]|\\[^a-zA-Z0-9])*")


@dataclass(frozen=True)
class Include:
    """One place where a URLconf includes ours.

    `written` is the path above it as the patterns have it, `prefix` the same as it is requested,
    None where it varies.
    """

    resolver: URLResolver
    written: str
    prefix: str | None


@cache
def endpoints_in(urlconf: str) -> dict[str, Endpoint]:
    """Return the table of a URLconf, empty where it does not include the app's URLs."""
    table: dict[str, Endpoint] = {}
    for include in includes_in(urlconf):
        if include.prefix is not None:
            for path, endpoint in _relative_paths(include.resolver):
                table[(include.prefix + unquote(path)).removesuffix("/")] = endpoint
    return table


def includes_in(urlconf: str) -> list[Include]:
    """Find every place where the URLconf includes ours."""
    return list(_walk(get_resolver(urlconf), "/", "/"))


def _walk(resolver: URLResolver, written: str, prefix: str | None) -> Iterator[Include]:
    for pattern in resolver.url_patterns:
        if not isinstance(pattern, URLResolver):
            continue
        own = _literal(pattern.pattern)
        below = written + str(pattern.pattern)
        path = None if prefix is None or own is None else prefix + own
        if pattern.app_name == APP_NAME:
            yield Include(pattern, below, path)
        else:
            yield from _walk(pattern, below, path)


def _literal(pattern: Any) -> str | None:
    """Return the one text that the pattern of an include matches, None where it matches others.

    Its `converters` do not tell: Django lets patterns that are written alike share them, and adds
    those of the includes around one of them to all.
    """
    written = getattr(pattern, "_route", getattr(pattern, "_regex", ""))
    if isinstance(pattern, LocalePrefixPattern) or isinstance(written, Promise):
        return None
    regex: str = pattern.regex.pattern
    if not _LITERAL.fullmatch(regex):
        return None
    return re.sub(r"\\(.)", r"\1", regex.removeprefix("^"), flags=re.DOTALL)


def _relative_paths(resolver: URLResolver) -> Iterator[tuple[str, Endpoint]]:
    """Yield what a project serves: it may have written URLs of its own for some of the views."""
    for name in NAMES:
        with suppress(NoReverseMatch):
            yield resolver.reverse(name), Endpoint(name)
    for probe in PROBES:
        with suppress(NoReverseMatch):
            yield resolver.reverse("probe", probe=probe), Endpoint("probe", probe)


@keeps("endpoints_in")
def reset() -> None:
    """Forget the tables."""
    endpoints_in.cache_clear()


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "ROOT_URLCONF":
        reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.url_table")
