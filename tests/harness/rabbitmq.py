"""A private RabbitMQ."""

import os
import socket
from collections.abc import Sequence
from pathlib import Path

from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.programs import find_program
from tests.harness.services import Service

# What a client says first, and with what kind of frame a broker answers: a method.
# https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf, 4.2.2
_HELLO = b"AMQP\x00\x00\x09\x01"
_METHOD = b"\x01"

# Debian's own script in the path changes to a folder and a log of the whole machine's.
_SCRIPTS = Path("/usr/lib/rabbitmq/bin")


class RabbitMQ(Service):
    """A node of its own, with a port mapper of its own, so that no other node knows of it."""

    programs = ("rabbitmq-server", "rabbitmqctl", "epmd")
    user = "rabbitmq"

    def __init__(self) -> None:
        super().__init__()
        self._mapper_port, self._distribution_port = Port(), Port()
        self._mapper: Process | None = None

    def prepare(self) -> None:
        (self.folder / "plugins").write_text("[].\n")
        (self.folder / "rabbitmq.conf").write_text(
            f"listeners.tcp.1 = {LOOPBACK}:{self.port}\nvm_memory_high_watermark.absolute = 256MB\n"
        )
        number = str(self._mapper_port.number)
        self._mapper = self.run(find_program("epmd"), "-address", LOOPBACK, "-port", number)

    def start(self, timeout: float = 90.0) -> None:
        """Start: a node takes seconds, and many times that on a busy machine."""
        super().start(timeout)

    def env(self) -> dict[str, str]:
        return {
            **super().env(),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            "ERL_EPMD_PORT": str(self._mapper_port.number),
            "ERL_FLAGS": "-kernel inet_dist_use_interface {127,0,0,1}",
            "HOME": str(self.folder),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_DIST_PORT": str(self._distribution_port.number),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_LOG_BASE": str(self.folder),
            "RABBITMQ_MNESIA_BASE": str(self.folder),
            "RABBITMQ_NODENAME": f"test-{self.port}@localhost",
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
        }

    def command(self) -> Sequence[str | Path]:
        return [_script("rabbitmq-server")]

    def answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=1) as connection:
                connection.sendall(_HELLO)
                return connection.recv(1) == _METHOD
        except OSError:
            return False

    def url(self) -> str:
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    def connections(self) -> int:
        """Return how many clients are connected."""
        return len(self._control("list_connections", "--silent", "--no-table-headers", "pid"))

    def kill_connections(self) -> int:
        """End those clients' connections; return how many there were."""
        count = self.connections()
        self._control("close_all_connections", "the test ends it")
        return count

    def close(self) -> None:
        super().close()
        if self._mapper is not None:
            self._mapper.kill()
        self._mapper_port.close()
        self._distribution_port.close()

    def _control(self, *arguments: str) -> list[str]:
        return self.run_to_end(_script("rabbitmqctl"), *arguments)


def _script(name: str) -> Path:
    own = _SCRIPTS / name
    return own if own.exists() else find_program(name)
