"""A cache instance for one question."""

import gc
from uuid import uuid4

import pytest
import redis
from django.core.cache import InvalidCacheBackendError, caches

from dockerflow_django.checks.private_cache import opened
from tests.services import redis_url, require

DJANGOS = "django.core.cache.backends.redis.RedisCache"


@pytest.fixture
def named_redis(settings):
    """Configure Django's Redis cache such that its connections can be told from others'."""
    require("redis")
    name = f"dockerflow-{uuid4().hex}"
    settings.CACHES = {
        "default": {
            "BACKEND": DJANGOS,
            "LOCATION": redis_url(),
            "OPTIONS": {"client_name": name},
        }
    }
    return name


@pytest.fixture
def without_garbage_collection():
    gc.disable()
    yield
    gc.enable()


def count_connections(name):
    with redis.Redis.from_url(redis_url()) as client:
        return sum(entry["name"] == name for entry in client.client_list())


def test_is_nobody_elses(settings):
    """The instance is a new one, over the same cache."""
    with opened("default", 1) as cache:
        cache.set("key", "value")
        assert cache is not caches["default"]
        assert caches["default"].get("key") == "value"
        cache.delete("key")


def test_closes_djangos_redis_connections(named_redis, without_garbage_collection):
    """Connections of Django's Redis cache are closed at once, not by the garbage collector."""
    with opened("default", 1) as cache:
        cache.get("key")
        assert count_connections(named_redis) == 1
    assert count_connections(named_redis) == 0


def test_closes_after_an_error_too(named_redis, without_garbage_collection):
    """An error inside the block leaves no connection open."""
    with pytest.raises(ValueError, match="not found"), opened("default", 1) as cache:
        cache.incr("missing")
    assert count_connections(named_redis) == 0


@pytest.mark.parametrize(("options", "bound"), [({}, 0.25), ({"socket_timeout": 3}, 3)])
def test_bounds_redis_unless_the_project_does(settings, options, bound):
    """Django's Redis cache gets our timeout where the project has set none."""
    settings.CACHES = {
        "default": {"BACKEND": DJANGOS, "LOCATION": "redis://127.0.0.1/0", "OPTIONS": options}
    }
    with opened("default", 0.25) as cache:
        pool = cache._cache.get_client().connection_pool
        assert pool.connection_kwargs["socket_timeout"] == bound
        assert pool.connection_kwargs["socket_connect_timeout"] == 0.25


@pytest.mark.parametrize("description", [{"BACKEND": "no.such.Cache"}, {}])
def test_says_what_is_wrong_with_the_configuration(settings, description):
    """A backend that cannot be imported, or is not named, is Django's own kind of error."""
    settings.CACHES = {"default": {}, "odd": description}
    with pytest.raises(InvalidCacheBackendError, match="odd"), opened("odd", 1):
        pass  # pragma: no cover - not reached


def test_refuses_an_unknown_alias():
    """An alias that CACHES does not have is Django's own kind of error."""
    with pytest.raises(InvalidCacheBackendError, match="nowhere"), opened("nowhere", 1):
        pass  # pragma: no cover - not reached
