"""A relay before a service that can lose everything that passes through it, and find it again."""

import ctypes
import selectors
import socket
import struct
import threading
from contextlib import suppress
from typing import Any

from tests.harness.closing import Closing
from tests.harness.ports import LOOPBACK

# How soon the thread notices that it should end.
_TICK_SECONDS = 0.05

# A packet filter on a socket sees a packet before TCP does, and needs no privilege (socket(7)).
# This one has a single instruction: keep no byte of it.
_SO_ATTACH_FILTER = 26
_SO_DETACH_FILTER = 27
_RETURN_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_LOSE_ALL = struct.pack("HL", 1, ctypes.addressof(_RETURN_NOTHING))


class Relay(Closing):
    """Pass bytes on to another port, until told to lose them.

    When it forwards again, the connections of before are as dead as they were, or reset where
    ``forward`` is told so; new ones are well.
    """

    def __init__(self, target_port: int) -> None:
        self._target = (LOOPBACK, target_port)
        self._listener = socket.create_server((LOOPBACK, 0), backlog=128)
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket] = {}
        self._dead: list[socket.socket] = []
        self._swallows = False
        self._lock = threading.Lock()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def swallow(self) -> None:
        """Take everything and answer nothing, as a stuck proxy: new connections are accepted."""
        with self._lock:
            self._swallows = True
            for connection in self._peers:
                self._selector.unregister(connection)
            self._dead += self._peers
            self._peers.clear()

    def drop(self) -> None:
        """Lose every packet, as a firewall: nothing is acknowledged, no connection comes about."""
        self.swallow()
        for end in [*self._dead, self._listener]:
            end.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, _LOSE_ALL)

    def refuse(self) -> None:
        """Reset every connection and refuse new ones, as a service that is down does."""
        self.swallow()
        with self._lock:
            _close_all(self._dead)
            self._selector.unregister(self._listener)
            self._listener.close()

    def forward(self, *, reset: bool = False) -> None:
        """Pass on what comes from now on by new connections."""
        with self._lock:
            if self._listener.fileno() == -1:
                self._listener = socket.create_server((LOOPBACK, self.port), backlog=128)
                self._selector.register(self._listener, selectors.EVENT_READ)
            self._swallows = False
            with suppress(FileNotFoundError):  # it did not drop
                self._listener.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
            if reset:
                _close_all(self._dead)

    def close(self) -> None:
        self._closing.set()
        self._thread.join()
        self._selector.close()
        self._listener.close()
        _close_all([*self._dead, *self._peers])

    def _run(self) -> None:
        while not self._closing.is_set():
            for key, _ in self._selector.select(_TICK_SECONDS):
                with self._lock:
                    self._serve(key.fileobj)

    def _serve(self, ready: Any) -> None:
        if ready is self._listener:
            self._accept()
            return
        # Since it was found ready it may have been closed by its other end, or swallowed.
        with suppress(KeyError):
            self._pass_on(ready, self._peers[ready])

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if self._swallows:
            self._dead.append(client)
            return
        try:
            server = socket.create_connection(self._target, timeout=5)
        except OSError:
            client.close()
            return
        for one, other in ((client, server), (server, client)):
            self._peers[one] = other
            self._selector.register(one, selectors.EVENT_READ)

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        try:
            data = source.recv(65536)
            target.sendall(data)
        except OSError:
            data = b""
        if not data:
            for end in (source, target):
                self._selector.unregister(end)
                del self._peers[end]
                end.close()


def _close_all(connections: list[socket.socket]) -> None:
    for connection in connections:
        connection.close()
    connections.clear()
