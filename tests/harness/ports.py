"""Ports on the loopback that nobody else takes."""

import socket

from tests.harness.closing import Closing

LOOPBACK = "127.0.0.1"


class Port(Closing):
    """A port kept for a subprocess that will listen on it, now and after each of its restarts.

    The socket is bound and never listens: the kernel gives the number to nobody who asks for any
    free port, a server that names it may bind it (they set ``SO_REUSEADDR`` or ``SO_REUSEPORT``),
    and until then a client is refused.
    """

    def __init__(self) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket.bind((LOOPBACK, 0))
        self.number: int = self._socket.getsockname()[1]

    def close(self) -> None:
        self._socket.close()


def accepts(port: int, timeout: float = 1.0) -> bool:
    """Whether something listens on ``port`` and takes a connection."""
    try:
        socket.create_connection((LOOPBACK, port), timeout=timeout).close()
    except OSError:
        return False
    return True
