"""How ``serve`` is asked to stop, from its first line on."""

import os
import queue
import signal
import sys
from types import FrameType
from typing import NoReturn

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopRequests:
    """The requests to stop that have come, by SIGTERM or SIGINT.

    A handler may run between any two steps of the main thread, so it does nothing but put into a
    `queue.SimpleQueue`, which is made for that, or, in a forked command, end it.
    """

    def __init__(self) -> None:
        self._pid = os.getpid()
        self._requests: queue.SimpleQueue[int] = queue.SimpleQueue()
        self.count = 0

    def install(self) -> None:
        """Handle the signals from now on; as PID 1 a process has no other way to hear them."""
        for number in SIGNALS:
            signal.signal(number, self.handle)

    def handle(self, number: int, frame: FrameType | None = None) -> None:
        """Take a signal."""
        if os.getpid() != self._pid:
            _end_child(number)
        self.count += 1
        self._requests.put(number)

    def wait(self, seconds: float | None = None) -> int | None:
        """Return the number of the next signal, None where none comes in so many seconds."""
        try:
            return self._requests.get(timeout=seconds)
        except queue.Empty:
            return None


def default_in_child() -> None:
    """Let the signals end a forked child again, as if it had been started on its own.

    They are ignored first: that discards what a signal to the parent's group has left pending.
    """
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
        signal.signal(number, signal.SIG_DFL)


def _end_child(number: int) -> NoReturn:
    sys.stdout.flush()
    os._exit(128 + number)
