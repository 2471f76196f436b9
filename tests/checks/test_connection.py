"""The one connection an alias and process that the shipped checks take turns on."""

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from django.core import checks, mail
from django.db import connections
from django.test import utils
from django.utils.connection import ConnectionDoesNotExist

from dockerflow_django import health
from dockerflow_django.checks import connection as connection_module
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import connection_to, in_heartbeat_thread
from dockerflow_django.heartbeat import runner, threads
from tests.harness.waiting import wait_until
from tests.servers.outages import frozen


def in_thread(function):
    """Call `function` as a check is called, and return or raise what it does."""
    outcome = []

    def call():
        in_heartbeat_thread.set(True)
        try:
            outcome.append((function(), None))
        except Exception as error:
            outcome.append((None, error))
        connection_module.close_all()

    done = threading.Event()
    threads.start(lambda: (call(), done.set()), name="dockerflow-test")
    assert done.wait(20)
    result, error = outcome[0]
    if error is not None:
        raise error
    return result


def bounds_of(*timeouts):
    """Return the options of the connection in a run of one check for each of its timeouts."""
    found = []

    def look(app_configs):
        with connection_to("other") as connection:
            found.append(connection.settings_dict["OPTIONS"])
        return []

    for number, timeout in enumerate(timeouts, start=1):
        runner.gather([Check(look, {}, timeout=timeout)], fresh=True)
        wait_until(lambda number=number: len(found) == number)
    return found


def ask(alias="other"):
    with connection_to(alias) as connection:
        with connections[alias].cursor() as cursor:
            cursor.execute("SELECT 1")
        return connection


@pytest.fixture
def database(postgresql, add_alias):
    """Give a function that makes alias "other" a PostgreSQL of our own."""
    postgresql.drop_database("turns")
    postgresql.create_database("turns")

    def make(**settings):
        add_alias("other", **postgresql.settings("turns", **settings))
        return postgresql

    yield make
    postgresql.drop_database("turns")


def test_outside_of_the_heartbeat_it_is_the_threads_own(add_alias):
    """In a test or a shell a check uses the connection that its caller uses."""
    with connection_to("default") as connection:
        assert connection is connections["default"]


def test_unknown_alias_is_named():
    """An alias that does not exist is the error that Django raises for one."""
    with pytest.raises(ConnectionDoesNotExist):
        in_thread(lambda: ask("nowhere"))


@pytest.mark.parametrize(("max_age", "kept"), [(0, 0), (60, 1), (None, 1)])
def test_connection_is_kept_as_the_settings_keep_one(database, production, max_age, kept):
    """However many runs there are, at most one connection is kept, and none with CONN_MAX_AGE 0."""
    postgresql = database(CONN_MAX_AGE=max_age)
    first = in_thread(ask)
    for _ in range(5):
        assert in_thread(ask) is first
    wait_until(lambda: postgresql.connections(database="turns") == kept)


def test_under_test_no_connection_is_kept(database):
    """Nothing stays behind that would block the removal of a test database."""
    postgresql = database(CONN_MAX_AGE=None)
    in_thread(ask)
    wait_until(lambda: postgresql.connections(database="turns") == 0)


def test_turns_are_taken(database, production):
    """Two checks at once use the one connection one after the other."""
    postgresql = database(CONN_MAX_AGE=60)
    entered, leave, counts = threading.Event(), threading.Event(), []

    def first():
        with connection_to("other") as connection:
            connection.ensure_connection()
            entered.set()
            assert leave.wait(10)

    def second():
        assert entered.wait(10)
        return ask()

    both = [threading.Thread(target=in_thread, args=(f,)) for f in (first, second)]
    for thread in both:
        thread.start()
    assert entered.wait(10)
    counts.append(postgresql.connections(database="turns"))
    leave.set()
    for thread in both:
        thread.join(10)
    counts.append(postgresql.connections(database="turns"))
    assert counts == [1, 1]


def test_other_settings_make_another_connection(database, production):
    """A database that was renamed, as a test runner does, is asked under its new name."""
    postgresql = database(CONN_MAX_AGE=60)
    first = in_thread(ask)
    connections.settings["other"]["NAME"] = "postgres"
    assert in_thread(ask) is not first
    wait_until(lambda: postgresql.connections(database="turns") == 0)


def test_waiting_for_the_server_is_bounded_by_the_driver(database, production):
    """A lost server ends the wait by itself: the project's own connections are not touched."""
    database(CONN_MAX_AGE=60)
    options = in_thread(ask).settings_dict["OPTIONS"]
    assert options["connect_timeout"] == 2
    assert options["tcp_user_timeout"] == 4000
    assert connections.settings["other"]["OPTIONS"] == {}


@pytest.mark.parametrize(
    ("timeout", "bound"), [(0.1, 2), (0.8, 2), (3.5, 5), (20, 21), (1e300, 86_401)]
)
def test_check_that_asks_for_more_time_waits_longer(database, production, timeout, bound):
    """The driver ends no wait that the check allows; one with less time waits as any other."""
    database()
    assert [each["connect_timeout"] for each in bounds_of(timeout)] == [bound]
    assert [each["connect_timeout"] for each in bounds_of(0.8)] == [2]


@pytest.mark.parametrize(("age", "bounds"), [(None, [2, 6, 6, 6]), (0, [2, 6, 2, 6])])
def test_open_connection_is_kept_for_less_patient_checks(database, production, age, bounds):
    """Checks with different times do not make it anew at every turn; a closed one costs none."""
    database(CONN_MAX_AGE=age)
    seen = []

    def look(app_configs, a):
        with connection_to("other") as connection:
            connection.ensure_connection()
            seen.append((connection.settings_dict["OPTIONS"]["connect_timeout"], connection))
        return []

    hurried, patient = Check(look, {"a": 1}), Check(look, {"a": 2}, timeout=5)
    for number, check in enumerate((hurried, patient, hurried, patient), start=1):
        runner.gather([check], fresh=True)
        wait_until(lambda number=number: len(seen) == number)
    assert [bound for bound, _ in seen] == bounds
    assert len({id(connection) for _, connection in seen}) == (2 if age is None else 4)


def test_longest_listing_bounds_the_shared_run(database, production):
    """A check that two probes list has one run, which may take what the more patient allows."""
    database()
    assert [each["connect_timeout"] for each in bounds_of(5, 20, 5)] == [6, 21, 21]


@pytest.mark.parametrize(
    ("own", "bound"),
    [(1, 1), ("1", "1"), (1.5, 1.5), (2, 2), (60, 2), ("60", 2), (0, 2), (None, 2), ("soon", 2)],
)
def test_projects_own_bound_stays_if_it_is_shorter(database, own, bound):
    """What the project has set ends a wait no later than it says; 0 and nonsense end none."""
    options = {"connect_timeout": own, "application_name": "shop"}
    database(OPTIONS=options)
    with connection_module._lock:
        connection = connection_module._make("other", 2)
    made = connection.settings_dict["OPTIONS"]
    assert (made["connect_timeout"], made["application_name"]) == (bound, "shop")
    assert connections.settings["other"]["OPTIONS"] == options


@pytest.mark.long
def test_slow_server_is_well_for_a_check_with_time(postgresql, add_alias, production):
    """A server that answers after more than the usual bound, and in time for this check."""
    add_alias("other", **postgresql.settings("postgres"))
    check = Check(lambda app_configs: ask() and [], {}, timeout=20)
    with ThreadPoolExecutor() as pool, frozen(postgresql):
        answer = pool.submit(runner.gather, [check])
        began = time.monotonic()
        wait_until(lambda: time.monotonic() - began > 3)
        postgresql.thaw()
        (result,) = answer.result(20)
    assert result.messages == ()
    assert result.duration_seconds > 3


def test_pool_is_used(database, production):
    """With psycopg's pool the checks take a connection from it and give it back."""
    postgresql = database(OPTIONS={"pool": {"min_size": 1, "max_size": 1, "timeout": 5}})
    for _ in range(5):
        connection = in_thread(ask)
        assert connection.connection is None
    assert "connect_timeout" not in connection.settings_dict["OPTIONS"]
    assert postgresql.connections(database="turns") == 1


def test_threads_own_connection_comes_back(database, production):
    """A connection that the thread had before its turn is there again afterwards."""
    database()

    def check():
        own = connections["other"]
        assert ask() is not own
        return connections["other"] is own

    assert in_thread(check)


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_leaves_the_parents_connection_alone(database, production):
    """A child makes its own connection, and the parent's goes on working."""
    database(CONN_MAX_AGE=60)
    first = in_thread(ask)
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not follow the child
        os._exit(0 if in_thread(ask) is not first else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert in_thread(ask) is first


@pytest.mark.parametrize(("timeout", "bound"), [(0.8, 2), (20, 21)])
def test_mariadb_is_bounded_too(mariadb, add_alias, production, timeout, bound):
    """MySQL's driver takes three timeouts."""
    pytest.importorskip("MySQLdb")
    add_alias("other", **mariadb.settings("mysql"))
    names = ("connect_timeout", "read_timeout", "write_timeout")
    (options,) = bounds_of(timeout)
    assert {options[name] for name in names} == {bound}


def test_outbox_is_no_sign_of_a_test(monkeypatch):
    """A server whose mail goes to `locmem` is no test: its connections are kept."""
    assert connection_module.is_testing()
    monkeypatch.delattr(utils._TestState, "saved_data")
    assert hasattr(mail, "outbox")
    assert not connection_module.is_testing()


def wait_for_ever(app_configs):
    with connection_to("other") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_sleep(60)")


def begin_a_turn_ago(seconds):
    """Have the turn at the connection last that long already."""
    turns = connection_module._turns["other"]
    turns.taken_at = wait_until(lambda: turns.taken_at) - seconds


@pytest.mark.parametrize("cap_seconds", [None, 0.1], ids=["awaited", "in the background"])
def test_turn_that_waits_for_ever_is_ended(postgresql, add_alias, production, cap_seconds):
    """A server that acknowledges and never answers costs its turn, and the check is asked anew."""
    add_alias("other", **postgresql.settings("postgres"))
    check = Check(wait_for_ever, {}, timeout=0.5, every=60)

    def gather():
        return runner.gather([check], cap_seconds)[0]

    overdue = wait_until(lambda: gather().spoken[0].id == health.ERROR_CHECK_TIMED_OUT and gather())
    assert gather().run == overdue.run  # a driver's timeout has not passed yet
    begin_a_turn_ago(2)
    ended = wait_until(lambda: next(iter(r for r in [gather()] if r.is_finished), None))
    assert "OperationalError" in ended.traceback


def test_turn_that_may_take_longer_is_not_ended_by_another_check(postgresql, add_alias, production):
    """Each turn has the time of the check that takes it."""
    add_alias("other", **postgresql.settings("postgres"))
    patient = Check(wait_for_ever, {}, timeout=20)
    hurried = Check(lambda app_configs: ask() and [], {}, timeout=0.1)
    with ThreadPoolExecutor() as pool:
        answer = pool.submit(runner.gather, [patient])
        wait_until(lambda: "other" in connection_module._turns)
        begin_a_turn_ago(20)
        for _ in range(5):
            assert runner.gather([hurried])[0].messages[0].id == health.ERROR_CHECK_TIMED_OUT
        assert not answer.done()
        begin_a_turn_ago(1)
        wait_until(lambda: runner.gather([hurried]) and answer.done())
    assert "OperationalError" in answer.result()[0].traceback


def test_turn_on_what_has_no_socket_is_left_alone(production, monkeypatch, django_db_blocker):
    """SQLite waits for no server."""
    monkeypatch.setattr(connection_module, "_patience_seconds", lambda: 0)

    def ask(app_configs):
        with connection_to("default") as connection:
            connection.ensure_connection()
            connection_module.end_stuck_waits()
            return [checks.Info(str(connection.is_usable()))]

    with django_db_blocker.unblock():
        (result,) = runner.gather([Check(ask, {})])
    assert result.messages[0].msg == "True"


def test_connection_that_was_closed_meanwhile_is_no_error(postgresql):
    """Ending a wait may come a moment late."""
    with psycopg.connect(**postgresql_address(postgresql)) as raw:
        pass
    connection_module._shut_down(raw)
    assert raw.closed


def test_parents_connections_are_kept_and_not_used(monkeypatch):
    """What a fork leaves is not collected, which would close it for the parent too."""
    for name in ("_guard", "_lock"):
        monkeypatch.setattr(connection_module, name, getattr(connection_module, name))
    monkeypatch.setattr(connection_module, "_abandoned", [])
    monkeypatch.setattr(connection_module, "_turns", {"other": (turns := object())})
    connection_module._abandon()
    assert connection_module._turns == {}
    assert connection_module._abandoned == [{"other": turns}]


def postgresql_address(postgresql):
    return {"host": "127.0.0.1", "port": postgresql.port, "user": "postgres", "dbname": "postgres"}
