"""Private services start, stop, freeze, come back on their port, and leave nothing."""

import socket
from pathlib import Path

import psycopg
import pytest
import redis

from tests.harness.ports import LOOPBACK, accepts
from tests.harness.postgres import PostgreSQL
from tests.harness.processes import is_alive
from tests.harness.programs import find_program
from tests.harness.redis import Redis
from tests.harness.waiting import wait_until


@pytest.mark.parametrize("name", ["postgresql", "mariadb", "private_redis"])
def test_service_comes_and_goes(request, name):
    """A service answers, is refused while stopped, and comes back on its port."""
    service = request.getfixturevalue(name)
    assert service.answers()
    service.stop()
    service.stop()
    assert not accepts(service.port)
    assert not service.answers()
    service.start()
    service.restart()
    assert service.answers()


@pytest.mark.parametrize("kind", [PostgreSQL, Redis])
def test_service_leaves_nothing(kind):
    """At the end of a service its folder, its processes and its listener are gone."""
    with kind() as service:
        folder, family = service.folder, service.process.family()
    assert not folder.exists()
    assert not any(map(is_alive, family))
    assert not accepts(service.port)


@pytest.mark.parametrize("name", ["postgresql", "mariadb", "private_redis"])
def test_frozen_service_accepts_and_does_not_answer(request, name):
    """A frozen service takes connections and is silent; thawed, it answers."""
    service = request.getfixturevalue(name)
    service.freeze()
    try:
        with socket.create_connection((LOOPBACK, service.port), timeout=0.2) as connection:
            connection.sendall(b"\0\0\0\x08\x04\xd2\x16\x2f")
            with pytest.raises(TimeoutError):
                connection.recv(1)
    finally:
        service.thaw()
    wait_until(service.answers)


def test_frozen_service_is_removed():
    """A service that a test has left frozen is nevertheless gone at the end."""
    with Redis() as service:
        service.freeze()
        family = service.process.family()
    assert not any(map(is_alive, family))


def test_redis_has_a_url(private_redis: Redis):
    """A client finds the private Redis by its URL."""
    client = redis.Redis.from_url(private_redis.url(3))
    assert client.ping()
    client.close()


def test_postgresql_counts_and_kills_connections(postgresql: PostgreSQL):
    """Connections are counted by database and by name; killing them ends them."""
    postgresql.create_database("counted")
    try:
        connections = [
            psycopg.connect(
                host=LOOPBACK,
                port=postgresql.port,
                user="postgres",
                dbname="counted",
                application_name=name,
            )
            for name in ("one", "two", "two")
        ]
        assert postgresql.connections(database="counted") == 3
        assert postgresql.connections(application_name="two") == 2
        assert postgresql.kill_connections(application_name="two") == 2
        wait_until(lambda: postgresql.connections(database="counted") == 1)
        with pytest.raises(psycopg.OperationalError):
            connections[1].execute("SELECT 1")
        for connection in connections:
            connection.close()
    finally:
        postgresql.drop_database("counted")


@pytest.mark.long
@pytest.mark.parametrize("name", ["postgresql", "mariadb"])
def test_project_uses_the_database(request, project, name):
    """The project migrates and queries on a private database server."""
    if name == "mariadb":
        pytest.importorskip("MySQLdb")
    service = request.getfixturevalue(name)
    service.create_database("used")
    project = project.with_databases(default=service.settings("used"))
    project.migrate("contenttypes")
    done = project.manage("migrate", "--check", "contenttypes")
    assert done.returncode == 0, done.stderr


def test_service_that_cannot_start_shows_its_output():
    """A service that ends at once fails within the given time, with what it said."""

    class Broken(Redis):
        def command(self) -> list[str | Path]:
            return [find_program("redis-server"), "--no-such-option"]

        def answers(self) -> bool:
            """Wait until all that it says is there."""
            assert self.process
            self.process.output.join(timeout=20)
            return False

        def start(self, timeout: float = 0.5) -> None:
            super().start(timeout)

    with pytest.raises(AssertionError, match=r"not within 0\.5 s: Broken answers") as failed:
        Broken().__enter__()
    assert "no-such-option" in "".join(failed.value.__notes__)


def test_missing_program_skips_locally_and_fails_under_ci(monkeypatch):
    """A test whose service is not installed is skipped on a desk and fails where CI is set."""
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no-such-program is not installed"):
        find_program("no-such-program")
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no-such-program is not installed"):
        find_program("no-such-program")
