"""A private MariaDB."""

import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from tests.harness.ports import LOOPBACK
from tests.harness.programs import find_program
from tests.harness.services import Service

# The first packet of a server that takes clients begins with its length and protocol version 10;
# one that is still starting, or refuses, sends an error or nothing.
# https://mariadb.com/docs/server/reference/clientserver-protocol/1-connecting/connection
_PROTOCOL_VERSION = 10


class MariaDB(Service):
    """A data directory of its own: root without a password, without durability."""

    programs = ("mariadb-install-db", "mariadbd", "mariadb")
    user = "mysql"

    def prepare(self) -> None:
        self.run_to_end(
            *(find_program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
            self.own_temporary_folder,
            *_SMALL,
        )

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def own_temporary_folder(self) -> str:
        """The option for it: a server that starts removes the temporary tables of all others."""
        return f"--tmpdir={self.folder}"

    @property
    def unix_socket(self) -> Path:
        return self.folder / "socket"

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("mariadbd"),
            "--no-defaults",
            f"--datadir={self.data}",
            self.own_temporary_folder,
            f"--socket={self.unix_socket}",
            f"--bind-address={LOOPBACK}",
            f"--port={self.port}",
            f"--pid-file={self.folder / 'pid'}",
            "--skip-name-resolve",
            "--skip-log-bin",
            "--innodb-flush-log-at-trx-commit=0",
            *_SMALL,
        ]

    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                return connection.recv(5)[4:] == bytes([_PROTOCOL_VERSION])
        except OSError:
            return False

    def create_database(self, name: str) -> None:
        self.run_to_end(
            *(find_program("mariadb"), "--no-defaults", f"--socket={self.unix_socket}"),
            *("--user=root", f"--execute=CREATE DATABASE `{name}` CHARACTER SET utf8mb4"),
        )

    def connections(self) -> int:
        """Return how many clients are connected, this one aside; needs mysqlclient."""
        with self._cursor() as cursor:
            return len(_clients(cursor))

    def kill_connections(self) -> int:
        """End those clients' connections; return how many there were."""
        import MySQLdb

        with self._cursor() as cursor:
            clients = _clients(cursor)
            for number in clients:
                with suppress(MySQLdb.Error):  # it has gone by itself
                    cursor.execute("KILL %s", [number])
        return len(clients)

    def settings(self, name: str, *, port: int | None = None, **more: Any) -> dict[str, Any]:
        """Return Django's settings of the database ``name``, by TCP, perhaps through a relay."""
        return {
            "ENGINE": "django.db.backends.mysql",
            "NAME": name,
            "USER": "root",
            "HOST": LOOPBACK,
            "PORT": port or self.port,
            **more,
        }

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        import MySQLdb

        connection = MySQLdb.connect(unix_socket=str(self.unix_socket), user="root")
        try:
            yield connection.cursor()
        finally:
            connection.close()


def _clients(cursor: Any) -> list[int]:
    cursor.execute(
        "SELECT id FROM information_schema.processlist"
        " WHERE command <> 'Daemon' AND id <> CONNECTION_ID()"
    )
    return [number for (number,) in cursor.fetchall()]


_SMALL = ("--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M")
