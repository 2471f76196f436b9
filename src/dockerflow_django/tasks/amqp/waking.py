"""How one thread wakes another that waits for a socket."""

import socket
from contextlib import suppress


class WakeUp:
    """Something for a selector to wait for, which any thread may set off."""

    def __init__(self) -> None:
        self.reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self.reader.setblocking(False)

    def set_off(self) -> None:
        """Wake the thread that waits."""
        with suppress(OSError):  # full, so it is about to wake up; or closed, so it has ended
            self._writer.send(b"\0")

    def clear(self) -> None:
        """Go back to sleep."""
        with suppress(BlockingIOError):
            while self.reader.recv(4096):
                pass

    def close(self) -> None:
        """Close both ends; to set it off does nothing from now on."""
        self.reader.close()
        self._writer.close()
