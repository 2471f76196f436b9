"""Whether Redis answers."""

import asyncio
import gc
import sys
import time
from uuid import uuid4

import pytest
import redis
from django.core.exceptions import ImproperlyConfigured
from django_redis.pool import ConnectionFactory

from dockerflow_django import health
from dockerflow_django.checks.messages import cause_of
from dockerflow_django.checks.redis import check_redis_connected
from tests.checks import fakes
from tests.harness.redis import Redis
from tests.harness.waiting import PROMPT_SECONDS
from tests.servers.outages import frozen
from tests.services import redis_url, require

DJANGOS = "django.core.cache.backends.redis.RedisCache"
DJANGO_REDIS = "django_redis.cache.RedisCache"
RUNS = 200


@pytest.fixture(autouse=True)
def no_pools_left():
    """Close django-redis's pools, one a URL, which it keeps as long as the process."""
    yield
    while ConnectionFactory._pools:
        ConnectionFactory._pools.popitem()[1].disconnect()


@pytest.fixture
def working():
    require("redis")
    return redis_url()


def use_cache(settings, backend, url, **options):
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": url, "OPTIONS": options}}


def ids(messages):
    return [message.id for message in messages]


def test_url_is_well(working):
    """A Redis named by its URL passes."""
    assert check_redis_connected([], url=working) == []


@pytest.mark.parametrize("backend", [DJANGOS, DJANGO_REDIS])
def test_cache_is_well(settings, working, backend):
    """The project's Redis cache passes, be it Django's or django-redis's."""
    use_cache(settings, backend, working)
    assert check_redis_connected([]) == []


def test_subclass_of_djangos_cache_is_well(settings, working):
    """A project's own subclass of Django's Redis cache is one of Django's."""
    use_cache(settings, "tests.checks.fakes.OwnRedisCache", working)
    assert check_redis_connected([]) == []


@pytest.mark.parametrize("backend", [DJANGOS, DJANGO_REDIS])
def test_down_is_an_error_not_a_crash(settings, backend, refusing_port):
    """A Redis that is really down is E004, though both clients connect lazily (D3)."""
    use_cache(settings, backend, f"redis://:s3cret@127.0.0.1:{refusing_port}/0")
    (message,) = check_redis_connected([])
    assert message.id == health.ERROR_CANNOT_CONNECT_REDIS
    assert message.msg == 'Redis behind the cache "default" cannot be reached.'
    assert "s3cret" not in cause_of(message)


def test_url_down_is_an_error(refusing_port):
    """A URL where nobody listens is E004, and the sentence does not show it."""
    (message,) = check_redis_connected([], url=f"redis://:s3cret@127.0.0.1:{refusing_port}/0")
    assert message.id == health.ERROR_CANNOT_CONNECT_REDIS
    assert message.msg == "Redis cannot be reached."
    assert "s3cret" not in cause_of(message)


def test_frozen_and_thawed(private_redis):
    """One that freezes between two checks is E004, and well again when it is back."""
    url = private_redis.url()
    assert check_redis_connected([], url=url) == []
    with frozen(private_redis):
        begun = time.monotonic()
        messages = check_redis_connected([], url=url, timeout_seconds=0.2)
        took = time.monotonic() - begun
    assert ids(messages) == [health.ERROR_CANNOT_CONNECT_REDIS]
    assert took < PROMPT_SECONDS
    assert check_redis_connected([], url=url) == []


@pytest.mark.parametrize("backend", [None, DJANGOS])
def test_silent_server_is_bounded(settings, backend, black_hole):
    """A port that takes connections and never answers is E004 within the timeout."""
    url = f"redis://127.0.0.1:{black_hole.port}/0"
    if backend:
        use_cache(settings, backend, url)
    begun = time.monotonic()
    messages = check_redis_connected([], url=None if backend else url, timeout_seconds=0.2)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert ids(messages) == [health.ERROR_CANNOT_CONNECT_REDIS]


def test_silent_server_behind_django_redis_obeys_its_timeout(settings, black_hole):
    """On django-redis's own connections its own timeout counts."""
    url = f"redis://127.0.0.1:{black_hole.port}/0"
    use_cache(settings, DJANGO_REDIS, url, SOCKET_TIMEOUT=0.2)
    assert ids(check_redis_connected([])) == [health.ERROR_CANNOT_CONNECT_REDIS]


def test_wrong_password_is_an_error():
    """One that does not let us in cannot be connected to, and neither password is told."""
    with Redis("--requirepass", "s3cret") as service:
        url = service.url().replace("//", "//:wr0ng@")
        (message,) = check_redis_connected([], url=url)
    assert message.id == health.ERROR_CANNOT_CONNECT_REDIS
    assert "wr0ng" not in message.msg + cause_of(message)


def test_refused_ping_is_an_error():
    """A server that answers PING with an error is E007."""
    with Redis("--rename-command", "PING", "") as service:
        messages = check_redis_connected([], url=service.url())
    assert ids(messages) == [health.ERROR_REDIS_PING_FAILED]


@pytest.mark.parametrize("url", ["http://127.0.0.1", "redis://127.0.0.1:port/0", "nonsense"])
def test_bad_url_is_a_misconfiguration(url):
    """A URL that redis-py cannot use is E006."""
    assert ids(check_redis_connected([], url=url)) == [health.ERROR_MISCONFIGURED_REDIS]


@pytest.mark.parametrize("alias", ["nowhere", "misspelt", "odd"])
def test_bad_cache_is_a_misconfiguration(settings, alias):
    """An alias that is unknown, misspelt or with an unknown option is E006."""
    odd = {"BACKEND": DJANGOS, "LOCATION": "redis://127.0.0.1/0", "OPTIONS": {"nonsense": 1}}
    settings.CACHES = {"default": {}, "misspelt": {"BACKEND": "no.such.Cache"}, "odd": odd}
    assert ids(check_redis_connected([], alias=alias)) == [health.ERROR_MISCONFIGURED_REDIS]


def test_cache_that_is_not_redis_has_no_client():
    """An alias of another kind is E005, as django-redis's NotImplementedError is."""
    assert ids(check_redis_connected([])) == [health.ERROR_MISSING_REDIS_CLIENT]


@pytest.mark.parametrize("module", ["redis", "django_redis"])
def test_missing_client_names_the_fix(settings, monkeypatch, module):
    """Without redis-py, or without the django-redis that CACHES names, it is E005."""
    use_cache(settings, DJANGO_REDIS, "redis://127.0.0.1/0")
    for name in [name for name in sys.modules if name.split(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    (message,) = check_redis_connected([])
    assert message.id == health.ERROR_MISSING_REDIS_CLIENT
    assert "pip install dockerflow-django[redis]" in message.msg


@pytest.mark.parametrize(
    ("error", "message_id"),
    [
        (redis.ConnectionError, health.ERROR_CANNOT_CONNECT_REDIS),
        (redis.TimeoutError, health.ERROR_CANNOT_CONNECT_REDIS),
        (NotImplementedError, health.ERROR_MISSING_REDIS_CLIENT),
        (ImproperlyConfigured, health.ERROR_MISCONFIGURED_REDIS),
    ],
)
def test_answers_as_python_dockerflow(settings, monkeypatch, error, message_id):
    """What `django_redis.get_redis_connection` raises has python-dockerflow's id."""

    def get_redis_connection(alias):
        raise error

    use_cache(settings, DJANGO_REDIS, "redis://127.0.0.1/0")
    monkeypatch.setattr("django_redis.get_redis_connection", get_redis_connection)
    assert ids(check_redis_connected([])) == [message_id]


def test_false_ping_is_an_error_as_in_python_dockerflow(monkeypatch):
    """A client whose `ping` is not true is E007."""
    monkeypatch.setattr("django_redis.get_redis_connection", lambda alias: fakes.MuteRedis())
    assert ids(check_redis_connected([])) == [health.ERROR_REDIS_PING_FAILED]


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_does_not_swallow_what_is_meant_for_others(monkeypatch, error):
    """Cancellation and exit pass through a check."""
    monkeypatch.setattr(fakes.MuteRedis, "error", error())
    monkeypatch.setattr("django_redis.get_redis_connection", lambda alias: fakes.MuteRedis())
    with pytest.raises(error):
        check_redis_connected([])


@pytest.mark.parametrize(("backend", "kept"), [(None, 0), (DJANGOS, 0), (DJANGO_REDIS, 1)])
def test_connections_do_not_grow(settings, working, backend, kept):
    """After 200 runs only django-redis's one pooled connection is left."""
    name = f"dockerflow-{uuid4().hex}"
    url = f"{working}?client_name={name}"
    use_cache(settings, backend or DJANGOS, url)
    gc.disable()
    try:
        for _ in range(RUNS):
            assert check_redis_connected([], url=None if backend else url) == []
        with redis.Redis.from_url(working) as client:
            names = [entry["name"] for entry in client.client_list()]
    finally:
        gc.enable()
    assert names.count(name) == kept
