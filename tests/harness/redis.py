"""A private Redis."""

import socket
from collections.abc import Sequence
from pathlib import Path

import redis

from tests.harness.ports import LOOPBACK
from tests.harness.programs import find_program
from tests.harness.services import Service


class Redis(Service):
    """A server of its own that writes nothing."""

    programs = ("redis-server",)

    def __init__(self, *options: str) -> None:
        super().__init__()
        self._options = options

    def command(self) -> Sequence[str | Path]:
        return [
            find_program("redis-server"),
            *("--port", str(self.port), "--bind", LOOPBACK, "--save", "", "--appendonly", "no"),
            *self._options,
        ]

    def answers(self) -> bool:
        """Ask; where a password is wanted, or PING has another name, an error is an answer too."""
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(b"PING\r\n")
                answer = connection.recv(64)
                return answer == b"+PONG\r\n" or answer.startswith((b"-NOAUTH", b"-ERR unknown"))
        except OSError:
            return False

    def url(self, database: int = 0) -> str:
        return f"redis://{LOOPBACK}:{self.port}/{database}"

    def connections(self) -> int:
        """Return how many clients are connected, this one aside."""
        with redis.Redis.from_url(self.url()) as client:
            return len(client.client_list()) - 1

    def kill_connections(self) -> int:
        """End those clients' connections; return how many there were."""
        with redis.Redis.from_url(self.url()) as client:
            return int(client.client_kill_filter(_type="normal", skipme=True))
