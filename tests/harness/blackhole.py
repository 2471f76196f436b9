"""Peers that never answer: one that accepts, and one that does not even that."""

import socket
import threading
from contextlib import suppress

from tests.harness.closing import Closing
from tests.harness.ports import LOOPBACK

# How soon a thread notices that it should end or change.
_TICK_SECONDS = 0.05


class BlackHole(Closing):
    """Accept every connection and answer nothing, perhaps on the port of a stopped service."""

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.create_server((LOOPBACK, port), backlog=128)
        self._listener.settimeout(_TICK_SECONDS)
        self.port: int = self._listener.getsockname()[1]
        self.accepted: list[socket.socket] = []
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._accept, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._listener.close()
        for connection in self.accepted:
            connection.close()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                self.accepted.append(self._listener.accept()[0])


class FullBacklog(Closing):
    """Listen, never accept, and have no room left: a connection attempt gets no answer at all."""

    def __init__(self) -> None:
        self._listener = socket.create_server((LOOPBACK, 0), backlog=0)
        self.port: int = self._listener.getsockname()[1]
        self._fillers = [self._knock() for _ in range(4)]

    def close(self) -> None:
        for filler in [*self._fillers, self._listener]:
            filler.close()

    def _knock(self) -> socket.socket:
        filler = socket.socket()
        filler.setblocking(False)
        filler.connect_ex((LOOPBACK, self.port))
        return filler
