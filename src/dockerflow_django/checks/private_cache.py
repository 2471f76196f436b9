"""A cache of the project's, opened for one question and closed after it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache, InvalidCacheBackendError
from django.core.cache.backends.redis import RedisCache
from django.utils.module_loading import import_string


@contextmanager
def opened(alias: str, timeout_seconds: float) -> Iterator[BaseCache]:
    """Give an instance of the cache that nobody else holds, and close it.

    A heartbeat runs in a thread of its own, where ``caches[alias]`` would be a new instance that
    nobody closes: Django's Redis cache then keeps its connections until the garbage collector
    finds the cycle. Raise `InvalidCacheBackendError` if ``CACHES`` does not describe the cache.
    """
    cache = _instantiate(alias, timeout_seconds)
    try:
        yield cache
    finally:
        cache.close()
        if isinstance(cache, RedisCache):
            _disconnect(cache)


def _instantiate(alias: str, timeout_seconds: float) -> BaseCache:
    params = dict(_settings_of(alias))
    try:
        backend = import_string(params.pop("BACKEND"))
    except (ImportError, KeyError) as error:
        msg = f"CACHES[{alias!r}]['BACKEND'] cannot be imported"
        raise InvalidCacheBackendError(msg) from error
    if issubclass(backend, RedisCache):
        # Without these, redis-py waits as long as the server likes; the project's own win.
        timeouts = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
        params["OPTIONS"] = timeouts | params.get("OPTIONS", {})
    cache: BaseCache = backend(params.pop("LOCATION", ""), params)
    return cache


def _settings_of(alias: str) -> dict[str, Any]:
    if alias not in caches.settings:
        msg = f"CACHES has no {alias!r}"
        raise InvalidCacheBackendError(msg)
    settings: dict[str, Any] = caches.settings[alias]
    return settings


def _disconnect(cache: RedisCache) -> None:
    # `RedisCache.close` does nothing, and its pools have no public name.
    for pool in getattr(cache._cache, "_pools", {}).values():  # noqa: SLF001
        pool.disconnect()
