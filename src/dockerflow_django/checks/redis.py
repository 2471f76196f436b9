"""Ask whether Redis answers a ``PING``."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from django.core.cache.backends.redis import RedisCache
from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured

from dockerflow_django import health
from dockerflow_django.checks.messages import failure
from dockerflow_django.checks.private_cache import opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from redis import Redis


def check_redis_connected(
    app_configs: Any,
    *,
    alias: str = "default",
    url: str | None = None,
    timeout_seconds: float = 0.7,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Send a ``PING`` to Redis. Needs the extra ``redis``.

    :param alias: the alias of a cache in ``CACHES``, of django-redis or of Django's Redis backend.
    :param url: the URL of a Redis server, in place of a cache.
    :param timeout_seconds: the longest wait to connect and for the answer, with a URL, and with
        Django's own backend unless its ``OPTIONS`` set one. django-redis uses its own
        ``SOCKET_CONNECT_TIMEOUT`` and ``SOCKET_TIMEOUT``.
    """
    try:
        from redis import RedisError
    except ImportError as error:
        return [_missing(error)]
    name = "Redis" if url else f'Redis behind the cache "{alias}"'
    configuration_errors = (ImportError, ImproperlyConfigured, NotImplementedError, TypeError)
    try:
        with _client(alias, url, timeout_seconds) as client:
            answered = client.ping()
    except (RedisError, OSError, ValueError, *configuration_errors) as error:
        return [_explained(error, name)]
    return [] if answered else [_ping_failed(name)]


@contextmanager
def _client(alias: str, url: str | None, timeout_seconds: float) -> Iterator[Redis]:
    """Give a client, and close it unless it is the project's."""
    if url:
        from redis import Redis

        timeouts = {"socket_timeout": timeout_seconds, "socket_connect_timeout": timeout_seconds}
        with Redis.from_url(url, **timeouts) as client:
            yield client
        return
    with opened(alias, timeout_seconds) as cache:
        if isinstance(cache, RedisCache):
            # No public way leads to the client.
            yield cache._cache.get_client(write=True)  # noqa: SLF001
        else:
            from django_redis import get_redis_connection

            yield get_redis_connection(alias)


def _explained(error: Exception, name: str) -> CheckMessage:
    import redis

    if isinstance(error, (redis.ConnectionError, redis.TimeoutError, OSError)):
        sentence = f"{name} cannot be reached."
        return failure(Error, sentence, health.ERROR_CANNOT_CONNECT_REDIS, error)
    if isinstance(error, redis.RedisError):
        return _ping_failed(name, error)
    if isinstance(error, (ImportError, NotImplementedError)) or _is_import_of_client(error):
        return _missing(error)
    sentence = f"{name} is misconfigured."
    return failure(Error, sentence, health.ERROR_MISCONFIGURED_REDIS, error)


def _is_import_of_client(error: Exception) -> bool:
    """Tell a cache backend that is not installed from one that is misspelt."""
    cause = error.__cause__
    return isinstance(cause, ImportError) and (cause.name or "").startswith("django_redis")


def _missing(error: Exception) -> CheckMessage:
    sentence = (
        "There is no Redis client to ask: run `pip install dockerflow-django[redis]`, and name "
        "a cache of django-redis's or of Django's Redis backend, or a URL."
    )
    return failure(Error, sentence, health.ERROR_MISSING_REDIS_CLIENT, error)


def _ping_failed(name: str, error: Exception | None = None) -> CheckMessage:
    return failure(Error, f"{name} did not answer PING.", health.ERROR_REDIS_PING_FAILED, error)
