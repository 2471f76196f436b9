"""The paths of the endpoints: a table from path to endpoint, built once for the project's URLconf.

Its paths have no script prefix, like ``request.path_info``. The patterns decide: a path is in the
table if Django resolves it to one of our view objects, wherever the project has put that.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.conf import settings
from django.urls import Resolver404, URLPattern, URLResolver, converters, get_resolver
from django.urls.resolvers import LocalePrefixPattern
from django.utils import translation
from django.utils.functional import Promise

from dockerflow_django._state import keeps
from dockerflow_django.conf import APP_NAME
from dockerflow_django.endpoints.endpoint import Endpoint
from dockerflow_django.endpoints.public import endpoint_name
from dockerflow_django.health import PROBES

NAMES = ("version", "lbheartbeat", "heartbeat", "error")

# What `django.urls.path` makes of a route without parameters, and plain regular expressions. A bare
# dot is taken for the dot that is meant.
_TEXT = r"(?:[^\\^$*+?{}\[\]|()]|\\[^a-zA-Z0-9])*"
_LITERAL = re.compile(rf"\^?{_TEXT}")
# A whole path: with a slash that may be missing, and at most the name of the probe captured.
_PROBE = rf"\(\?P<probe>[^()]*(?:\([^()]*\))?[^()]*\)({_TEXT})"
_LEAF = re.compile(rf"\^?({_TEXT})({_PROBE})?\??(?:\$|\\[Zz])?")


@dataclass(frozen=True)
class Include:
    """One include of our URLs.

    `written` is the path above it as the patterns have it, `prefix` the same as it is requested,
    None if it varies.
    """

    resolver: URLResolver
    written: str
    prefix: str | None


def endpoints_in(urlconf: Any) -> dict[str, Endpoint]:
    """Return the endpoint of every path, with and without a trailing slash.

    The table is empty if the URLconf has none of our views.
    """
    resolver = get_resolver(urlconf)
    table: dict[str, Endpoint] = {}
    # Below `i18n_patterns` it depends on the language what Django resolves a path to.
    with translation.override(settings.LANGUAGE_CODE):
        for prefix, leaf in _candidates(resolver, "/"):
            path = prefix + leaf
            if (endpoint := _resolve(resolver, path)) is not None:
                table.setdefault(path, endpoint)
                other = path.removesuffix("/") if path.endswith("/") else f"{path}/"
                if other and (found := _resolve(resolver, other, unresolved=endpoint)):
                    table.setdefault(other, found)
    return table


class _Project(NamedTuple):
    """The table of a ``ROOT_URLCONF``, and the resolver that Django kept for it meanwhile."""

    urlconf: Any
    resolver: URLResolver
    table: dict[str, Endpoint]


_project: _Project | None = None


def endpoints_of_project() -> dict[str, Endpoint]:
    """Return the table of ``ROOT_URLCONF``.

    To read the setting takes four times as long as to ask for a resolver, which Django forgets
    with the setting: tests may change it without a signal, and call `clear_url_caches`.
    """
    global _project  # noqa: PLW0603
    project = _project
    if project is not None and get_resolver(project.urlconf) is project.resolver:
        return project.table
    urlconf = settings.ROOT_URLCONF
    table = endpoints_in(urlconf)
    _project = _Project(urlconf, get_resolver(urlconf), table)
    return table


@keeps("_project")
def _reset() -> None:
    global _project  # noqa: PLW0603
    _project = None


def listed_in(urlconf: Any) -> dict[str, Endpoint]:
    """Return the endpoint of every path, the one with a slash only if it differs."""
    table = endpoints_in(urlconf)
    return {
        path: endpoint
        for path, endpoint in table.items()
        if not path.endswith("/") or table.get(path.removesuffix("/")) != endpoint
    }


def includes_in(urlconf: str) -> list[Include]:
    """Find every include of our URLs."""
    return list(_walk(get_resolver(urlconf), "/", "/"))


def shadows_in(urlconf: str) -> dict[URLPattern, list[str]]:
    """Find the patterns that take fixed paths of our views before them, among other paths.

    A pattern for just such a path stands there on purpose.
    """
    resolver = get_resolver(urlconf)
    found: dict[URLPattern, list[str]] = {}
    with translation.override(settings.LANGUAGE_CODE):
        for prefix, leaf in _candidates(resolver, "/"):
            path, (_, slash, rest) = prefix + leaf, leaf.partition("/")
            taker = _taker(resolver, path)
            if taker is None or endpoint_name(taker.callback):
                continue
            if taker is _taker(resolver, f"{prefix}anything{slash}{rest}"):
                bare = path.removesuffix("/")
                is_both = _taker(resolver, bare) is taker
                found.setdefault(taker, []).append(bare if is_both else path)
    return found


def _taker(node: Any, path: str) -> URLPattern | None:
    """Return the pattern that takes the path, by regular expressions alone.

    A project's own converter, which may ask a database, is not called, so it takes nothing here.
    """
    match = node.pattern.regex.search(path)
    captured = getattr(node.pattern, "converters", {}).values()
    if match is None or any(type(each).__module__ != converters.__name__ for each in captured):
        return None
    if isinstance(node, URLPattern):
        return node
    takers = (_taker(child, path[match.end() :]) for child in node.url_patterns)
    return next((taker for taker in takers if taker is not None), None)


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
    """Return the one text that the pattern of an include matches, None if it matches others.

    Its `converters` do not tell: Django lets patterns that are written alike share them, and adds
    those of the includes around one of them to all.
    """
    written = getattr(pattern, "_route", getattr(pattern, "_regex", ""))
    if isinstance(pattern, LocalePrefixPattern) or isinstance(written, Promise):
        return None
    regex: str = pattern.regex.pattern
    if not _LITERAL.fullmatch(regex):
        return None
    return _unescape(regex.removeprefix("^"))


def _candidates(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, str]]:
    """Yield the fixed paths that are written for our views: what is above each, and its own."""
    for pattern in resolver.url_patterns:
        if isinstance(pattern, URLResolver):
            if (own := _literal(pattern.pattern)) is not None:
                yield from _candidates(pattern, prefix + own)
        elif endpoint_name(pattern.callback):
            yield from ((prefix, path) for path in _paths(pattern))


def _paths(pattern: URLPattern) -> Iterator[str]:
    written = getattr(pattern.pattern, "_route", getattr(pattern.pattern, "_regex", ""))
    match = None if isinstance(written, Promise) else _LEAF.fullmatch(pattern.pattern.regex.pattern)
    if match is None:
        return
    before, probe, after = match.groups()
    for name in PROBES if probe else ("",):
        yield _unescape(f"{before}{name}{after or ''}")


def _resolve(
    resolver: URLResolver, path: str, unresolved: Endpoint | None = None
) -> Endpoint | None:
    """Return the endpoint that Django would call for the path: another view may come first."""
    try:
        match = resolver.resolve(path)
    except Resolver404:
        return unresolved
    name = endpoint_name(match.func)
    if name is None:
        return None
    return Endpoint(name, str(match.kwargs.get("probe", "")) if name == "probe" else "")


def _unescape(regex: str) -> str:
    return re.sub(r"\\(.)", r"\1", regex, flags=re.DOTALL)
