"""A database that stops, freezes, vanishes or kills its clients, and comes back.

One PostgreSQL, and before it eight servers side by side: each way of keeping connections, under a
server with threads and under one with an event loop.
"""

import time
from collections.abc import Iterator
from functools import partial

import pytest

from tests.harness import http
from tests.harness.postgres import PostgreSQL
from tests.harness.project import Project
from tests.harness.relay import Relay
from tests.harness.servers import Server, serve_all
from tests.harness.waiting import wait_until
from tests.servers.heartbeats import (
    LONGEST_SECONDS,
    OVERDUE,
    PATH,
    ask,
    findings,
    longest,
    statuses,
)
from tests.servers.outages import OUTAGES

# A run that a silent server has left waiting ends by libpq's `connect_timeout` or TCP's own, which
# the shipped checks bound to 2 s and 4 s; only then can the next one begin.
RECOVERY_SECONDS = 20.0
DATABASE = "shop"
KEEPING = {
    "0": {"CONN_MAX_AGE": 0},
    "60": {"CONN_MAX_AGE": 60},
    "None": {"CONN_MAX_AGE": None},
    "pool": {"OPTIONS": {"pool": True}},
}
# The pool of psycopg opens as many as its `min_size`.
MOST_CONNECTIONS = {"0": 1, "60": 1, "None": 1, "pool": 4}
NAMES = [f"{kind} {keeping}" for kind in ("gunicorn-gthread", "uvicorn") for keeping in KEEPING]
# No view that is asked here looks at it.
COOKIE = {"Cookie": "sessionid=0123456789abcdef0123456789abcdef"}


@pytest.fixture(scope="module")
def database(postgresql, tmp_path_factory) -> Iterator[PostgreSQL]:
    """Give the PostgreSQL, with a migrated database in it."""
    postgresql.create_database(DATABASE)
    project = Project(tmp_path_factory.mktemp("migrate"))
    project.with_databases(default=postgresql.settings(DATABASE)).migrate()
    yield postgresql
    postgresql.drop_database(DATABASE)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """Give a project whose heartbeats tell everything and reuse nothing."""
    return Project(tmp_path_factory.mktemp("database")).with_settings(
        DOCKERFLOW_HEARTBEAT_DETAILS="always", DOCKERFLOW_HEARTBEAT_MAX_AGE=0
    )


@pytest.fixture(scope="module")
def all_servers(database, project) -> Iterator[dict[str, Server]]:
    with serve_all({name: wanted(name, database, project) for name in NAMES}) as servers:
        yield servers


@pytest.fixture
def servers(all_servers) -> dict[str, Server]:
    """Give the servers once all are well, whatever another test has done to them."""
    wait_until(lambda: statuses(ask(all_servers)) == {200}, timeout=2 * RECOVERY_SECONDS)
    return all_servers


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_is_told_in_time_and_ends_with_it(database, servers, outage):
    """Every heartbeat tells of an outage within the timeout, and the next run after it is well.

    After it only such a run may still be spoken of as has begun in it (D2, D19, D20).
    """
    with OUTAGES[outage](database):
        for _ in range(2):
            answers = ask(servers)
            assert statuses(answers) == {500}
            assert longest(answers) < LONGEST_SECONDS
            assert all(findings(answer) for answer in answers.values())
    end = time.monotonic() + RECOVERY_SECONDS
    ill = servers
    while ill:
        answers = ask(ill)
        ill = {name: servers[name] for name, answer in answers.items() if answer.status != 200}
        assert {key for name in ill for key in findings(answers[name])} <= {OVERDUE}
        assert not ill or time.monotonic() < end, sorted(ill)


@pytest.mark.parametrize("name", [name for name in NAMES if not name.endswith(" 0")])
def test_killed_connections_are_replaced_at_once(database, servers, name):
    """The first heartbeat after `pg_terminate_backend` is well, however connections are kept.

    python-dockerflow stays unhealthy for ever under `CONN_MAX_AGE=None`.
    """
    assert database.kill_connections(application_name=name) >= 1
    assert findings(servers[name].get(PATH)) == {}


def test_restart_between_two_heartbeats_goes_unnoticed(database, servers):
    """A database that was away while nobody asked is well at the first heartbeat."""
    database.restart()
    answers = ask(servers)
    assert [name for name, answer in answers.items() if findings(answer)] == []


@pytest.mark.long
def test_connections_do_not_grow(database, servers):
    """Two hundred heartbeats, four at once, leave one connection, or the pool as it began."""
    for server in servers.values():  # in turn: together they would keep checks beyond their time
        answers = http.concurrently(partial(server.get, PATH), total=200, at_once=4)
        assert {answer.status for answer in answers} == {200}
    allowed = {name: MOST_CONNECTIONS[name.split()[1]] for name in NAMES}
    wait_until(
        lambda: all(count <= allowed[name] for name, count in connections(database).items()),
        what=f"{connections(database)} within {allowed}",
    )


@pytest.mark.parametrize("outage", OUTAGES)
def test_views_without_a_database_need_none(database, servers, outage):
    """What asks no database answers at once while it is away, with a session cookie too (D6)."""
    with OUTAGES[outage](database):
        for path in ("/plain/", "/plain-async/", "/__lbheartbeat__", "/__heartbeat__/liveness"):
            answers = ask(servers, path, headers=COOKIE)
            assert statuses(answers) == {200}
            assert longest(answers) < LONGEST_SECONDS


@pytest.fixture
def relayed(database, project) -> Iterator[tuple[dict[str, Server], Relay]]:
    """Give two servers that keep their connections, well, and the relay before their database."""
    names = ("gunicorn-gthread 60", "uvicorn None")
    with Relay(database.port) as relay:
        plan = {name: wanted(name, database, project, port=relay.port) for name in names}
        with serve_all(plan) as servers:
            assert statuses(ask(servers)) == {200}
            yield servers, relay


@pytest.mark.long
@pytest.mark.parametrize(
    "lose",
    [
        Relay.drop,
        Relay.swallow,
    ],
)
def test_lost_connection_does_not_keep_the_heartbeat_ill(relayed, lose):
    """The heartbeat is well soon after the way is free again, though nobody ended its connection.

    A firewall that drops packets is found out by TCP; a stuck proxy acknowledges them, and is not.
    """
    servers, relay = relayed
    lose(relay)
    answers = ask(servers)
    assert {key for answer in answers.values() for key in findings(answer)} == {OVERDUE}
    assert longest(answers) < LONGEST_SECONDS
    relay.forward()
    wait_until(lambda: statuses(ask(servers)) == {200}, timeout=RECOVERY_SECONDS)


def wanted(name: str, database: PostgreSQL, project: Project, **more):
    """Return how to start the server of that name; PostgreSQL knows its connections by it."""
    kind, keeping = name.split()
    options = {"application_name": name, **KEEPING[keeping].get("OPTIONS", {})}
    settings = database.settings(DATABASE, **more, **KEEPING[keeping] | {"OPTIONS": options})
    return {"kind": kind, "project": project.with_databases(default=settings)}


def connections(database: PostgreSQL) -> dict[str, int]:
    return {name: database.connections(application_name=name) for name in NAMES}
