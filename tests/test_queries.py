"""Queries are counted per request, over threads and aliases, and nothing else is different."""

import asyncio
import threading
import time

import pytest
from asgiref.sync import sync_to_async
from django.db import OperationalError, connections
from django.http import HttpResponse
from django.test import AsyncRequestFactory

from dockerflow_django import queries
from dockerflow_django.context import enter, leave
from dockerflow_django.middleware import DockerflowMiddleware
from tests.summaries import WORLDS, ask, asked, recorded, serving

ALIASES = ("first", "second")


@pytest.fixture(autouse=True)
def _databases(django_db_blocker, tmp_path):
    """Give two SQLite files of the test's own, which any thread may open."""
    queries.count_from_now_on()
    for alias in ALIASES:
        name = str(tmp_path / alias)
        connections.settings[alias] = {**connections.settings["default"], "NAME": name}
    with django_db_blocker.unblock():
        yield
    leave()
    for alias in ALIASES:
        connections[alias].close()
        del connections[alias], connections.settings[alias]


@pytest.fixture
def counted():
    """Give the list of what the current request's queries took."""
    return enter(None, None).query_seconds


def query(alias="first", times=1):
    with connections[alias].cursor() as cursor:
        for _ in range(times):
            cursor.execute("SELECT 1")


def query_and_close(alias="first", times=1):
    query(alias, times)
    connections[alias].close()


def test_queries_of_every_alias_count(counted):
    """Several databases make one number."""
    query("first", 2)
    query("second", 3)
    assert len(counted) == 5


def test_many_rows_are_one_query(counted):
    """`executemany()` counts once, as `CaptureQueriesContext` counts it."""
    with connections["first"].cursor() as cursor:
        cursor.execute("CREATE TABLE t (x)")
        cursor.executemany("INSERT INTO t VALUES (%s)", [[1], [2]])
    assert len(counted) == 2


def test_query_that_fails_counts(counted):
    """It was sent, it took its time, and its exception goes on."""
    with pytest.raises(OperationalError), connections["first"].cursor() as cursor:
        cursor.execute("SELECT broken")
    assert len(counted) == 1


def test_seconds_are_those_of_the_database(counted):
    """The time is what the database took."""

    def slow(execute, sql, params, many, context):
        time.sleep(0.02)
        return execute(sql, params, many, context)

    with connections["first"].execute_wrapper(slow):
        query()
    assert 0.02 <= sum(counted) < 5


def test_outside_of_a_request_nothing_is_counted():
    """A management command's queries are nobody's."""
    leave()
    query()


def test_nothing_is_counted_after_the_summary():
    """A task that outlives its request, and still has its context, does not fill memory."""
    state = enter(None, None)
    query()
    state.is_over = True
    query()
    assert len(state.query_seconds) == 1


def test_connection_made_before_us_counts(counted):
    """A connection that was opened before the middleware was loaded is wrapped then."""
    query()
    connections["first"].execute_wrappers.remove(queries._count)
    query()
    assert len(counted) == 1
    queries.count_from_now_on()
    query()
    assert len(counted) == 2


def test_no_connection_is_made_to_count_on():
    """What the thread has not opened stays unopened."""
    queries.count_from_now_on()
    assert not [c for c in connections.all(initialized_only=True) if c.alias in ALIASES]


def test_connection_is_wrapped_once(counted):
    """A reconnection, and a second handler, count no query twice."""
    query()
    connections["first"].close()
    queries.count_from_now_on()
    query()
    assert len(counted) == 2


def test_connection_opened_within_a_wrapper_block_keeps_count(counted):
    """`execute_wrapper()` takes the last wrapper away at its end: it has to be its own."""
    connections["first"].close()
    with connections["first"].execute_wrapper(lambda execute, *args: execute(*args)):
        query()
    assert connections["first"].execute_wrappers == [queries._count]
    query()
    assert len(counted) == 2


def test_threads_of_one_request_count_together_and_apart_from_others():
    """Async views query in threads, each with its connection, side by side with other views."""
    both = threading.Barrier(2, timeout=10)

    def work(alias, times):
        both.wait()
        query_and_close(alias, times)

    def view(times):
        async def view(request):
            await sync_to_async(query_and_close)("first", times)
            await asyncio.to_thread(work, "second", times)
            return HttpResponse("plain")

        return view

    with recorded() as records:
        threads = [
            threading.Thread(target=_ask_one, args=(view(times),), daemon=True) for times in (2, 5)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert sorted(record.db_queries for record in records.summaries) == [4, 10]


def _ask_one(view):
    asyncio.run(DockerflowMiddleware(view)(AsyncRequestFactory().get("/")))


async def _queries_async(request):
    await sync_to_async(query)("first", 3)
    return HttpResponse("plain")


def _queries(request):
    query("first", 3)
    return HttpResponse("plain")


@pytest.mark.parametrize(
    ("world", "view"),
    [("sync", _queries), ("async", _queries), ("async", _queries_async), ("sync", _queries_async)],
)
def test_summary_has_the_number_and_the_milliseconds(world, view, settings):
    """Without DEBUG, in a view of either world under either handler."""
    assert not settings.DEBUG
    summary = asked(world, view)
    assert summary.db_queries == 3
    assert isinstance(summary.t_db, int)
    assert 0 <= summary.t_db <= summary.t


@pytest.mark.parametrize("world", WORLDS)
def test_every_request_begins_at_zero(world):
    """What one request has asked is not the next one's."""
    with serving(_queries), recorded() as records:
        ask(world)
        ask(world)
    assert [record.db_queries for record in records.summaries] == [3, 3]
