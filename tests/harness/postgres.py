"""A private PostgreSQL."""

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from signal import SIGINT, SIGQUIT
from typing import Any

import psycopg

from tests.harness.ports import LOOPBACK
from tests.harness.programs import find_program
from tests.harness.services import Service

# Big enough for eight servers with eight threads each.
MAX_CONNECTIONS = 100
# What the connections of `execute` are called.
OWN_NAME = "the test itself"


class PostgreSQL(Service):
    """A cluster of its own: trusting, without durability, found by TCP and by a Unix socket."""

    programs = ("initdb", "postgres")
    user = "postgres"
    # "Fast": sessions are ended. Killed by SIGKILL it would leave shared memory behind.
    stop_signal = SIGINT
    immediate_signal = SIGQUIT

    def prepare(self) -> None:
        self.run_to_end(
            *(find_program("initdb"), "--pgdata=data", "--username=postgres", "--auth=trust"),
            *("--encoding=UTF8", "--locale=C", "--no-sync"),
        )

    def command(self) -> Sequence[str | Path]:
        options = {
            "listen_addresses": LOOPBACK,
            "port": self.port,
            "unix_socket_directories": self.folder,
            "max_connections": MAX_CONNECTIONS,
            "shared_buffers": "16MB",
            "fsync": "off",
            "full_page_writes": "off",
            "synchronous_commit": "off",
        }
        flags = [f"--{name}={value}" for name, value in options.items()]
        return [find_program("postgres"), "-D", "data", *flags]

    def answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def execute(self, statement: str, *params: Any) -> list[tuple[Any, ...]]:
        """Run one statement as the superuser, on a connection of its own."""
        connection = psycopg.connect(
            host=LOOPBACK,
            port=self.port,
            user="postgres",
            dbname="postgres",
            application_name=OWN_NAME,
            connect_timeout=5,
            autocommit=True,
        )
        with closing(connection):
            cursor = connection.execute(statement, params or None)
            return cursor.fetchall() if cursor.description else []

    def create_database(self, name: str, template: str = "template1") -> None:
        self.execute(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')

    def drop_database(self, name: str) -> None:
        self.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def settings(self, name: str, *, port: int | None = None, **more: Any) -> dict[str, Any]:
        """Return Django's settings of the database ``name``, by TCP, perhaps through a relay."""
        return {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": name,
            "USER": "postgres",
            "HOST": LOOPBACK,
            "PORT": port or self.port,
            **more,
        }

    def connections(
        self, *, database: str | None = None, application_name: str | None = None
    ) -> int:
        """Return how many clients are connected, those of `execute` aside."""
        chosen = _chosen(database, application_name)
        [(count,)] = self.execute(f"SELECT count(*) {_CLIENTS}", *chosen)
        return int(count)

    def kill_connections(
        self, *, database: str | None = None, application_name: str | None = None
    ) -> int:
        """Terminate those clients' backends; return how many there were."""
        chosen = _chosen(database, application_name)
        return len(self.execute(f"SELECT pg_terminate_backend(pid) {_CLIENTS}", *chosen))


_CLIENTS = f"""
    FROM pg_stat_activity
    WHERE backend_type = 'client backend' AND application_name <> '{OWN_NAME}'
      AND (%s::text IS NULL OR datname = %s) AND (%s::text IS NULL OR application_name = %s)
"""


def _chosen(database: str | None, application_name: str | None) -> tuple[str | None, ...]:
    return (database, database, application_name, application_name)
