"""Where the endpoints are: a table from path to endpoint, built once per URLconf.

Its paths have no script prefix, like ``request.path_info``, and no trailing slash.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from django.core.signals import setting_changed
from django.urls import (
    NoReverseMatch,
    URLResolver,
    get_resolver,
    get_script_prefix,
    reverse,
    set_script_prefix,
)
from django.urls.resolvers import LocalePrefixPattern

from dockerflow_django.casts import PROBES
from dockerflow_django.endpoints import Endpoint

APP_NAME = "dockerflow"
NAMES = ("version", "lbheartbeat", "heartbeat", "error")


@dataclass(frozen=True)
class Include:
    """One place where a URLconf includes ours; `is_fixed` where its prefix never varies."""

    namespaces: tuple[str, ...]
    is_fixed: bool


@cache
def endpoints_in(urlconf: str) -> dict[str, Endpoint]:
    """Return the table of a URLconf, empty where it does not include the app's URLs."""
    table: dict[str, Endpoint] = {}
    for include in includes_in(urlconf):
        if include.is_fixed:
            table.update(_entries(urlconf, ":".join(include.namespaces)))
    return table


def includes_in(urlconf: str) -> list[Include]:
    """Find every place where the URLconf includes ours."""
    return list(_walk(get_resolver(urlconf), (), is_fixed=True))


def _walk(
    resolver: URLResolver, namespaces: tuple[str, ...], *, is_fixed: bool
) -> Iterator[Include]:
    for pattern in resolver.url_patterns:
        if not isinstance(pattern, URLResolver):
            continue
        below = (*namespaces, pattern.namespace) if pattern.namespace else namespaces
        fixed = is_fixed and not _varies(pattern)
        if pattern.app_name == APP_NAME:
            yield Include(below, fixed)
        else:
            yield from _walk(pattern, below, is_fixed=fixed)


def _varies(resolver: URLResolver) -> bool:
    pattern = resolver.pattern
    if isinstance(pattern, LocalePrefixPattern) or pattern.converters:
        return True
    return pattern.regex.groups > 0


def _entries(urlconf: str, namespace: str) -> Iterator[tuple[str, Endpoint]]:
    prefix = get_script_prefix()
    set_script_prefix("/")
    try:
        for name in NAMES:
            yield reverse(f"{namespace}:{name}", urlconf), Endpoint(name)
        for probe in PROBES:
            path = reverse(f"{namespace}:probe", urlconf, kwargs={"probe": probe})
            yield path, Endpoint("probe", probe)
    except NoReverseMatch:
        # A pattern that reverse() cannot undo: the included views answer.
        return
    finally:
        set_script_prefix(prefix)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "ROOT_URLCONF":
        endpoints_in.cache_clear()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.url_table")
