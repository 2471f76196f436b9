"""Queries are counted for the request that makes them, in whichever thread, without `DEBUG`."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest
from asgiref.sync import async_to_sync, sync_to_async
from django.db import OperationalError, ProgrammingError, connection, connections
from django.db.backends.signals import connection_created
from django.test import override_settings

from dockerflow_django.context.requests import end_request, start_request
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.queries import _count, count_from_now_on

FAILURES = (OperationalError, ProgrammingError)


@pytest.fixture
def two_aliases(django_db_blocker):
    """Give two more aliases, each with a database of its own in memory."""
    databases = connections.settings
    with django_db_blocker.unblock():
        for name in ("orders", "stock"):
            databases[name] = {**databases["default"], "NAME": ":memory:"}
        yield connections["orders"], connections["stock"]
        for name in ("orders", "stock"):
            sqlite = connections[name].connection
            del connections[name], databases[name]
            sqlite.close()


def query(using=connection, sql="SELECT 1"):
    """Make a query."""
    with using.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.django_db
@override_settings(DEBUG=False)
def test_a_requests_queries_are_in_its_record(visit, summaries):
    """In a view of either world, and in `sync_to_async` threads that run at the same time."""
    visit("/queries/")
    (record,) = summaries
    assert record.db_queries == 3
    assert record.t_db >= 0
    assert record.t_db <= record.t + 1


@pytest.mark.django_db
def test_each_request_has_its_own(visit, summaries):
    """What was counted before does not count again."""
    for url in ("/queries/", "/plain/", "/queries/"):
        visit(url)
    assert [record.db_queries for record in summaries] == [3, 0, 3]


@pytest.mark.django_db
def test_their_time_is_summed(monkeypatch):
    """On the clock that cannot be set (D36)."""
    state = start_request(None, None)
    ticks = iter([10.0, 10.25, 20.0, 20.5])
    monkeypatch.setattr("dockerflow_django.summary.queries.time.perf_counter", lambda: next(ticks))
    query()
    query()
    assert state.query_seconds == [0.25, 0.5]


def test_every_alias_counts(two_aliases):
    """Connections that are made during the request, each to a database of its own."""
    state = start_request(None, None)
    for each in (*two_aliases, two_aliases[0]):
        query(each)
    assert len(state.query_seconds) == 3


@pytest.mark.django_db
def test_a_query_that_fails_counts():
    """It took its time as well."""
    state = start_request(None, None)
    with pytest.raises(FAILURES):
        query(sql="SELECT nonsense FROM nowhere")
    assert len(state.query_seconds) == 1


@pytest.mark.django_db
def test_many_at_once_are_one_query():
    """As the database counts."""
    state = start_request(None, None)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE numbers (n integer)")
        cursor.executemany("INSERT INTO numbers VALUES (%s)", [(1,), (2,), (3,)])
    assert len(state.query_seconds) == 2


@pytest.mark.django_db
def test_another_wrapper_may_come_and_go():
    """A project's own `execute_wrapper` neither loses ours nor is lost, nested as well."""
    seen = []

    def wrapper(execute, *args):
        seen.append(args[0])
        return execute(*args)

    state = start_request(None, None)
    with connection.execute_wrapper(wrapper):
        count_from_now_on()
        with connection.execute_wrapper(wrapper):
            query()
    query()
    assert (len(seen), len(state.query_seconds)) == (2, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("begin", [lambda: start_request(None, None), end_request])
def test_another_wrapper_is_told_all_of_the_query(begin):
    """Within a request and outside, what Django hands to wrappers is handed on."""
    told = []

    def wrapper(execute, *args):
        told.append(args)
        return execute(*args)

    begin()
    with connection.cursor() as cursor:
        cursor.execute("CREATE TEMPORARY TABLE numbers (n integer)")
        with connection.execute_wrapper(wrapper):
            cursor.execute("SELECT n FROM numbers WHERE n = %s", [1])
            cursor.executemany("INSERT INTO numbers VALUES (%s)", [(1,), (2,)])
    context = {"connection": connection, "cursor": cursor}
    assert told == [
        ("SELECT n FROM numbers WHERE n = %s", [1], False, context),
        ("INSERT INTO numbers VALUES (%s)", [(1,), (2,)], True, context),
    ]


def test_a_connection_that_is_opened_within_another_wrapper(two_aliases):
    """`execute_wrapper()` takes whichever is last away at its end: that is not ours."""
    state = start_request(None, None)
    for made in two_aliases:
        with made.execute_wrapper(lambda execute, *args: execute(*args)):
            query(made)
        assert made.execute_wrappers == [_count]
        query(made)
    assert len(state.query_seconds) == 4


@pytest.mark.django_db
def test_a_connection_is_wrapped_once():
    """However often it is opened, and however many middlewares there are."""
    query()
    for _ in range(3):
        count_from_now_on()
        connection_created.send(type(connection), connection=connection)
    assert connection.execute_wrappers.count(_count) == 1


@pytest.mark.django_db
def test_outside_of_a_request_nothing_is_counted():
    """A command's and a task's queries are nobody's."""
    end_request()
    query()
    state = start_request(None, None)
    assert state.query_seconds == []


@pytest.mark.django_db
def test_after_the_summary_nothing_is_counted():
    """A task that lives on has the request's context; its record is written."""
    state = start_request(None, None)
    state.is_over = True
    query()
    assert state.query_seconds == []


@pytest.mark.django_db
def test_the_middleware_begins_to_count():
    """A project configures nothing for it."""
    connection.execute_wrappers.remove(_count)
    DockerflowMiddleware(lambda request: None)
    assert connection.execute_wrappers == [_count]


def test_no_connection_is_made(django_db_blocker):
    """To count, only connections that there are already are looked at."""
    with django_db_blocker.block():
        count_from_now_on()


def test_no_connection_object_is_made_for_a_thread():
    """A thread that makes no query has none, whatever counts there."""

    def count():
        count_from_now_on()
        return list(connections.all(initialized_only=True))

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(count).result() == []


@pytest.mark.django_db
def test_concurrent_requests_count_apart():
    """Each task has its own state, though they share the connection."""

    async def request(how_many):
        state = start_request(None, None)
        for _ in range(how_many):
            await sync_to_async(query)()
        return len(state.query_seconds)

    async def both():
        return await asyncio.gather(*map(asyncio.create_task, (request(2), request(3))))

    assert async_to_sync(both)() == [2, 3]
