"""Ask whether the caches keep what they are given."""

import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any
from uuid import uuid4

from django.core.cache import caches
from django.core.cache.backends.base import BaseCache, InvalidCacheBackendError
from django.core.cache.backends.db import BaseDatabaseCache
from django.core.cache.backends.dummy import DummyCache
from django.core.checks import CheckMessage, Error, Info
from django.db import router

from dockerflow_django import health
from dockerflow_django.checks.connection import answers, connection_to
from dockerflow_django.checks.messages import failure
from dockerflow_django.checks.private_cache import opened

# Should removing the key fail, it is gone after so long.
KEY_LIFETIME_SECONDS = 10
READS = 3
PAUSE_BETWEEN_READS_SECONDS = 0.02


def check_caches(
    app_configs: Any,
    *,
    aliases: Iterable[str] | None = None,
    timeout_seconds: float = 0.7,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Write a random key to each cache, read it back, compare it and remove it.

    The comparison finds a backend that hides its errors, as django-redis does with
    ``IGNORE_EXCEPTIONS``. A ``DummyCache`` is reported as information.

    :param aliases: aliases in ``CACHES``; all of them if not given.
    :param timeout_seconds: the longest wait for Django's Redis cache to connect and for each of its
        answers, unless its ``OPTIONS`` set one. Other backends have timeouts of their own: for
        django-redis set ``SOCKET_CONNECT_TIMEOUT`` and ``SOCKET_TIMEOUT``.
    """
    found = (
        _check_cache(alias, timeout_seconds) for alias in (caches if aliases is None else aliases)
    )
    return [message for message in found if message]


def _check_cache(alias: str, timeout_seconds: float) -> CheckMessage | None:
    try:
        with opened(alias, timeout_seconds) as cache, _database_of(cache):
            if isinstance(cache, DummyCache):
                sentence = f'The cache "{alias}" is a dummy: it keeps nothing.'
                return failure(Info, sentence, health.INFO_NOT_CONFIGURED)
            kept = _keeps(cache)
    except InvalidCacheBackendError as error:
        sentence = f'The cache "{alias}" is not one that CACHES describes: add it or correct it.'
        return failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, error)
    except Exception as error:  # noqa: BLE001 - each backend raises what its client raises
        sentence = f'The cache "{alias}" does not work.'
        return failure(Error, sentence, health.ERROR_CACHE_FAILED, error)
    sentence = f'The cache "{alias}" does not keep what it is given.'
    return None if kept else failure(Error, sentence, health.ERROR_CACHE_FAILED)


@contextmanager
def _database_of(cache: BaseCache) -> Iterator[None]:
    """Have a cache that is kept in a database use the connection that the checks take turns on."""
    with ExitStack() as stack:
        if isinstance(cache, BaseDatabaseCache):
            model = cache.cache_model_class
            # Sorted: two checks that take turns on two databases never wait for each other.
            for alias in sorted({router.db_for_read(model), router.db_for_write(model)}):
                answers(stack.enter_context(connection_to(alias)))
        yield


def _keeps(cache: BaseCache) -> bool:
    key, value = f"dockerflow-check-{uuid4().hex}", uuid4().hex
    try:
        cache.set(key, value, KEY_LIFETIME_SECONDS)
        kept = _reads(cache, key, value)
    except Exception:
        # The first error is the one to tell.
        with suppress(Exception):
            cache.delete(key)
        raise
    cache.delete(key)
    return kept


def _reads(cache: BaseCache, key: str, value: str) -> bool:
    """Read more than once: Django's Redis cache reads from replicas, which lag."""
    for pause_seconds in (0.0, *[PAUSE_BETWEEN_READS_SECONDS] * (READS - 1)):
        time.sleep(pause_seconds)
        if cache.get(key) == value:
            return True
    return False
