"""check_database_connected, on real databases."""

import pytest
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import InterfaceError, OperationalError, connection, connections

from dockerflow_django import health
from dockerflow_django.checks import check_database_connected
from dockerflow_django.checks.check import Check
from dockerflow_django.heartbeat import runner
from tests.harness.ports import Port


def run(**keywords):
    """Run the check as the heartbeat does."""
    check = Check(check_database_connected, keywords, timeout=20)
    return runner.gather([check], fresh=True)[0].messages


@pytest.mark.django_db
def test_answering_database_is_ok():
    """A database that answers is no message."""
    assert check_database_connected(None) == []


@pytest.mark.django_db
@pytest.mark.parametrize("error", [OperationalError, InterfaceError, OSError])
def test_refusal_is_an_error(monkeypatch, error):
    """D19: every way in which a driver refuses is E001."""

    def refuse():
        raise error("password=geheim")

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    (message,) = check_database_connected(None)
    assert message.id == health.ERROR_CANNOT_CONNECT_DATABASE
    assert message.level == checks.ERROR
    assert "geheim" not in message.msg


def test_misconfigured_database_is_an_error(monkeypatch):
    """E003: the settings are wrong, not the server."""

    def refuse():
        raise ImproperlyConfigured

    monkeypatch.setattr(connection, "ensure_connection", refuse)
    (message,) = check_database_connected(None)
    assert message.id == health.ERROR_MISCONFIGURED_DATABASE


def test_unknown_alias_is_an_error():
    """An alias of the keyword that does not exist is named."""
    (message,) = check_database_connected(None, aliases=["nowhere"])
    assert message.id == health.ERROR_MISCONFIGURED_DATABASE
    assert "nowhere" in message.msg


@pytest.mark.django_db
def test_connection_that_does_not_answer_is_an_error(monkeypatch):
    """E002: connected, and no answer."""
    monkeypatch.setattr(connection, "is_usable", lambda: False)
    (message,) = check_database_connected(None)
    assert message.id == health.ERROR_UNUSABLE_DATABASE


def test_project_without_a_database_has_nothing_to_connect_to(add_alias):
    """An alias without an engine is news, not an error."""
    add_alias("none")
    (message,) = check_database_connected(None, aliases=["none"])
    assert message.id == health.INFO_NOT_CONFIGURED
    assert message.level == checks.INFO


def test_every_alias_is_asked(add_alias):
    """D18: a second database that is down is an error that names it."""
    with Port() as port:
        add_alias(
            "archive",
            ENGINE="django.db.backends.postgresql",
            NAME="x",
            USER="x",
            PASSWORD="geheim",
            HOST="127.0.0.1",
            PORT=port.number,
        )
        (message,) = run()
    assert message.id == health.ERROR_CANNOT_CONNECT_DATABASE
    assert "'archive'" in message.msg
    assert "OperationalError" in message.cause
    assert "geheim" not in str(vars(message))


@pytest.mark.parametrize("max_age", [0, 60, None])
def test_killed_connections_are_no_outage(postgresql, add_alias, production, max_age):
    """python-dockerflow stays unhealthy for ever here: a killed connection is made anew at once."""
    add_alias("other", **postgresql.settings("postgres", CONN_MAX_AGE=max_age))
    assert run(aliases=["other"]) == ()
    postgresql.kill_connections(database="postgres")
    assert run(aliases=["other"]) == ()
    assert run(aliases=["other"]) == ()


def test_killed_connection_of_the_callers_thread_is_made_anew(postgresql, add_alias):
    """A direct call heals the thread's own connection too."""
    add_alias("other", **postgresql.settings("postgres", CONN_MAX_AGE=None))
    connections["other"].ensure_connection()
    postgresql.kill_connections(database="postgres")
    assert check_database_connected(None, aliases=["other"]) == []


POOL = {"pool": {"min_size": 3, "max_size": 3, "timeout": 5}}


def test_pool_of_killed_connections_is_no_outage(postgresql, add_alias, production):
    """However many connections of the pool are dead, the next run is well."""
    # By a name: the server may not yet have closed the connections of the test before.
    options = {**POOL, "application_name": "killed-pool"}
    add_alias("other", **postgresql.settings("postgres", OPTIONS=options))
    assert run(aliases=["other"]) == ()
    connections["other"].pool.wait(10)
    assert postgresql.kill_connections(application_name="killed-pool") == 3
    assert run(aliases=["other"]) == ()


@pytest.mark.long
@pytest.mark.parametrize(("max_age", "options"), [(0, {}), (60, {}), (None, {}), (0, POOL)])
def test_stopped_database_is_an_error_and_well_when_it_is_back(
    postgresql, add_alias, production, max_age, options
):
    """Whatever keeps connections, the run after the database has come back is well."""
    add_alias("other", **postgresql.settings("postgres", CONN_MAX_AGE=max_age, OPTIONS=options))
    assert run(aliases=["other"]) == ()
    postgresql.stop(immediate=True)
    try:
        assert [m.id for m in run(aliases=["other"])] == [health.ERROR_CANNOT_CONNECT_DATABASE]
    finally:
        postgresql.start()
    assert run(aliases=["other"]) == ()


@pytest.mark.long
def test_black_hole_ends_by_itself(black_hole, add_alias, production, no_collection):
    """A server that accepts and never answers does not hold the run for ever, nor a descriptor.

    The project's own bound ends the wait: it is shorter than what the check may take.
    """
    add_alias(
        "other",
        ENGINE="django.db.backends.postgresql",
        NAME="x",
        USER="x",
        HOST="127.0.0.1",
        PORT=black_hole.port,
        OPTIONS={"connect_timeout": 2},
    )
    (message,) = run(aliases=["other"])
    assert message.id == health.ERROR_CANNOT_CONNECT_DATABASE
    assert black_hole.accepted
    assert all(map(is_closed, black_hole.accepted))


def is_closed(accepted):
    """Tell whether the other end has closed it; what it has asked before is read over."""
    accepted.settimeout(1)
    try:
        while accepted.recv(4096):
            pass
    except TimeoutError:
        return False
    return True
