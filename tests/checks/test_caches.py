"""Whether caches keep what they are given."""

import asyncio
import gc
import threading
from typing import Any, ClassVar
from uuid import uuid4

import pytest
import redis
from django.core.cache import caches
from django.core.cache.backends.db import DatabaseCache
from django.core.management import call_command
from django.db import connections
from django_redis.pool import ConnectionFactory

from dockerflow_django import health
from dockerflow_django.checks import connection as connection_module
from dockerflow_django.checks.caches import check_caches
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.database import check_database_connected
from dockerflow_django.checks.messages import cause_of
from dockerflow_django.heartbeat import runner
from tests.checks import fakes
from tests.harness.waiting import wait_until
from tests.services import redis_url, require

LOCMEM = "django.core.cache.backends.locmem.LocMemCache"
DJANGOS_REDIS = "django.core.cache.backends.redis.RedisCache"
DJANGO_REDIS = "django_redis.cache.RedisCache"
RUNS = 200


def fake(name):
    return {"BACKEND": f"tests.checks.fakes.{name}", "LOCATION": uuid4().hex}


def ids(messages):
    return [message.id for message in messages]


@pytest.fixture
def redis_name():
    """Name this test's connections and keys, which share a server with others."""
    require("redis")
    yield f"dockerflow-{uuid4().hex}"
    # django-redis keeps its pools, one a URL, as long as the process.
    while ConnectionFactory._pools:
        ConnectionFactory._pools.popitem()[1].disconnect()


def redis_cache(backend, url, **options):
    return {"default": {"BACKEND": backend, "LOCATION": url, "OPTIONS": options}}


def named_cache(backend, name):
    caches = redis_cache(backend, f"{redis_url()}?client_name={name}")
    caches["default"]["KEY_PREFIX"] = name
    return caches


def test_working_caches_are_well(settings):
    """Every alias of CACHES that keeps a value passes."""
    settings.CACHES = {"default": {"BACKEND": LOCMEM}, "second": {"BACKEND": LOCMEM}}
    assert check_caches([]) == []


def test_leaves_nothing_behind(settings):
    """The key of a check is gone when the check is."""
    settings.CACHES = {"default": {"BACKEND": LOCMEM, "LOCATION": uuid4().hex}}
    check_caches([])
    assert caches["default"]._cache == {}


def test_file_based_cache_holds_no_file_afterwards(settings, tmp_path):
    """What django-health-check leaves, a key a probe, is not left here."""
    backend = "django.core.cache.backends.filebased.FileBasedCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": str(tmp_path)}}
    assert check_caches([]) == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.django_db
def test_database_cache_is_well(settings):
    """A cache in the database is asked like any other."""
    backend = "django.core.cache.backends.db.DatabaseCache"
    settings.CACHES = {"default": {"BACKEND": backend, "LOCATION": "cache_table"}}
    call_command("createcachetable", verbosity=0)
    assert check_caches([]) == []


class SeenCache(DatabaseCache):
    """A cache in the database that keeps what connections it is read over."""

    connections: ClassVar[list[Any]] = []

    def get_many(self, keys, version=None):
        self.connections.append(connections["other"])
        return super().get_many(keys, version)


class Replicated:
    """A router that reads caches from one database and writes them to another."""

    def __init__(self, read="other", write="other"):
        self.read, self.write = read, write

    def db_for_read(self, model, **hints):
        return self.read if model._meta.app_label == "django_cache" else None

    def db_for_write(self, model, **hints):
        return self.write if model._meta.app_label == "django_cache" else None


# No other test connects to it: who is connected is counted.
CACHED = "cached"


@pytest.fixture
def in_postgresql(settings, postgresql, add_alias, production):
    """Keep the cache in a PostgreSQL, which keeps its connections, in a database of its own."""
    postgresql.create_database(CACHED)
    settings.DATABASE_ROUTERS = [Replicated()]
    settings.CACHES = {"default": {"BACKEND": f"{__name__}.SeenCache", "LOCATION": "cache_table"}}
    add_alias("other", **postgresql.settings(CACHED, CONN_MAX_AGE=None))
    call_command("createcachetable", database="other", verbosity=0)
    connections["other"].close()
    wait_until(lambda: not postgresql.connections(database=CACHED))
    SeenCache.connections.clear()
    yield postgresql
    postgresql.drop_database(CACHED)


def run():
    """Run the check as the heartbeat does."""
    return runner.gather([Check(check_caches, {}, timeout=20)], fresh=True)[0].messages


def test_database_cache_takes_turns_with_the_other_checks(in_postgresql):
    """However many checks there are, an alias has one connection of the heartbeat's."""
    database = Check(check_database_connected, {"aliases": ["other"]}, timeout=20)
    assert runner.gather([database])[0].messages == ()
    kept = connection_module._turns["other"].connection
    assert run() == ()
    assert SeenCache.connections == [kept]
    assert in_postgresql.connections(database=CACHED) == 1


def test_killed_connection_of_a_database_cache_is_no_outage(in_postgresql):
    """The next run is well whatever the server did to the connection that was kept."""
    assert run() == ()
    assert in_postgresql.kill_connections(database=CACHED) == 1
    assert run() == ()


def test_each_database_of_a_cache_is_asked_in_its_turn(settings, in_postgresql, add_alias):
    """A router may read from a replica: two connections, each the one of its alias."""
    add_alias("another", **in_postgresql.settings(CACHED, CONN_MAX_AGE=None))
    settings.DATABASE_ROUTERS = [Replicated(write="another")]
    assert run() == ()
    assert SeenCache.connections == [connection_module._turns["other"].connection]
    assert in_postgresql.connections(database=CACHED) == 2


def test_router_that_names_no_database_of_the_project_is_an_error(settings, in_postgresql):
    """The cache could not be used, and the check says so."""
    settings.DATABASE_ROUTERS = [Replicated(read="nowhere")]
    assert ids(run()) == [health.ERROR_CACHE_FAILED]


def test_dummy_cache_is_news_not_an_error(settings):
    """A DummyCache, which keeps nothing on purpose, is an Info."""
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
    (message,) = check_caches([])
    assert (message.id, message.is_serious()) == (health.INFO_NOT_CONFIGURED, False)


def test_forgetful_cache_is_found_out(settings):
    """A backend that raises nothing and keeps nothing fails by comparison."""
    settings.CACHES = {"default": fake("ForgetfulCache")}
    assert ids(check_caches([])) == [health.ERROR_CACHE_FAILED]


def test_lagging_replica_is_no_failure(settings):
    """A value that a replica has a moment later counts as kept."""
    settings.CACHES = {"default": fake("LaggingCache")}
    assert check_caches([]) == []


def test_each_alias_is_told_of(settings):
    """Two failing caches are two messages of one id, each naming its alias (D13)."""
    settings.CACHES = {
        "default": {"BACKEND": LOCMEM},
        "one": fake("BrokenCache"),
        "two": fake("BrokenCache"),
    }
    messages = check_caches([])
    assert ids(messages) == [health.ERROR_CACHE_FAILED] * 2
    assert ['"one"' in messages[0].msg, '"two"' in messages[1].msg] == [True, True]


def test_only_the_aliases_asked_for(settings):
    """With ``aliases`` the others are left alone."""
    settings.CACHES = {"default": {"BACKEND": LOCMEM}, "broken": fake("BrokenCache")}
    assert check_caches([], aliases=["default"]) == []


@pytest.mark.parametrize("alias", ["nowhere", "misspelt"])
def test_misconfigured_cache_is_an_error(settings, alias):
    """An alias that is unknown, or whose backend is, is an error of the configuration."""
    settings.CACHES = {"default": {"BACKEND": LOCMEM}, "misspelt": {"BACKEND": "no.such.Cache"}}
    assert ids(check_caches([], aliases=[alias])) == [health.ERROR_MISCONFIGURED_CHECK]


def test_key_is_removed_after_an_error(settings):
    """A key that could be written but not read is removed."""
    settings.CACHES = {"default": fake("BrokenCache")}
    assert ids(check_caches([])) == [health.ERROR_CACHE_FAILED]
    assert caches["default"]._cache == {}


def test_first_error_is_told(settings, monkeypatch):
    """An error of the clean-up does not mask the one that made it necessary."""
    settings.CACHES = {"default": fake("BrokenCache")}
    monkeypatch.setattr(fakes.BrokenCache, "error_of_delete", OSError("cannot delete"))
    (message,) = check_caches([])
    assert cause_of(message) == "OSError: cannot read"


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, asyncio.CancelledError])
def test_does_not_swallow_what_is_meant_for_others(settings, monkeypatch, error):
    """Cancellation and exit pass through a check."""
    settings.CACHES = {"default": fake("BrokenCache")}
    monkeypatch.setattr(fakes.BrokenCache, "error", error())
    with pytest.raises(error):
        check_caches([])


@pytest.mark.parametrize("backend", [DJANGOS_REDIS, DJANGO_REDIS])
def test_redis_cache_is_well_and_empty(settings, redis_name, backend):
    """Both Redis backends pass on a real Redis, and no key remains."""
    settings.CACHES = named_cache(backend, redis_name)
    assert check_caches([]) == []
    with redis.Redis.from_url(redis_url()) as client:
        assert list(client.scan_iter(f"{redis_name}*", count=1000)) == []


@pytest.mark.parametrize("backend", [DJANGOS_REDIS, DJANGO_REDIS])
def test_redis_down_is_an_error(settings, backend, refusing_port):
    """A Redis that refuses connections is an error, whose sentence names the alias only."""
    url = f"redis://:s3cret@127.0.0.1:{refusing_port}/0"
    settings.CACHES = redis_cache(backend, url)
    (message,) = check_caches([])
    assert message.id == health.ERROR_CACHE_FAILED
    assert message.msg == 'The cache "default" does not work.'
    assert "s3cret" not in cause_of(message)


def test_ignored_exceptions_are_found_out(settings, refusing_port):
    """django-redis with IGNORE_EXCEPTIONS and a Redis that is down fails by comparison."""
    url = f"redis://127.0.0.1:{refusing_port}/0"
    settings.CACHES = redis_cache(DJANGO_REDIS, url, IGNORE_EXCEPTIONS=True)
    assert ids(check_caches([])) == [health.ERROR_CACHE_FAILED]


def test_silent_redis_is_bounded(settings, black_hole):
    """A Redis that takes connections and never answers fails within the timeout."""
    settings.CACHES = redis_cache(DJANGOS_REDIS, f"redis://127.0.0.1:{black_hole.port}/0")
    assert ids(check_caches([], timeout_seconds=0.1)) == [health.ERROR_CACHE_FAILED]


@pytest.mark.parametrize(("backend", "kept"), [(DJANGOS_REDIS, 0), (DJANGO_REDIS, 1)])
def test_connections_do_not_grow(settings, redis_name, backend, kept):
    """After 200 runs in threads of their own, only django-redis's one pooled connection is left.

    The garbage collector is off: Django's Redis cache would otherwise seem to close.
    """
    settings.CACHES = named_cache(backend, redis_name)
    found = []
    gc.disable()
    try:
        for _ in range(RUNS):
            thread = threading.Thread(target=lambda: found.extend(check_caches([])))
            thread.start()
            thread.join()
        with redis.Redis.from_url(redis_url()) as client:
            names = [entry["name"] for entry in client.client_list()]
    finally:
        gc.enable()
    assert (found, names.count(redis_name)) == ([], kept)
