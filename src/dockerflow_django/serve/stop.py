"""How ``serve`` is asked to stop, from its first line on."""

import os
import select
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)
# A timer of 0 seconds would be none.
SHORTEST_SECONDS = 0.001


class StopRequests:
    """The requests to stop that have come, by SIGTERM or SIGINT.

    Python runs a handler in the main thread, and only once that wakes up: a signal that the kernel
    gives to another thread wakes nobody. So the handler here does nothing, and what is listened to
    is the byte that the interpreter writes for every signal, from whatever thread it came to.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)
        self.count = 0
        os.register_at_fork(after_in_child=self._close)

    def install(self) -> None:
        """Listen from now on; as PID 1 a process has no other way to hear a signal."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, ignore)

    def wait(self, seconds: float | None = None, also: int = 0) -> int | None:
        """Return the number of the next signal, None if none comes in so many seconds.

        A signal that is not a request to stop, `also`, is returned too and not counted.
        """
        end = None if seconds is None else time.monotonic() + seconds
        while True:
            remaining = None if end is None else max(0.0, end - time.monotonic())
            if not select.select([self._reader], [], [], remaining)[0]:
                return None
            number = self._reader.recv(1)[0]
            if number in SIGNALS:
                self.count += 1
                return number
            if number == also:
                return number

    def begin(self) -> None:
        """Have whoever waits stop, as if a first signal had come; if one has, that is enough."""
        if not self.count:
            self._writer.send(bytes([signal.SIGTERM]))

    def _close(self) -> None:
        """Leave the parent's line to the parent: a signal to this child is none to it."""
        if self._writer.fileno() != -1:
            signal.set_wakeup_fd(-1)
            self._reader.close()
            self._writer.close()


def ignore(number: int, frame: FrameType | None) -> None:
    """Take a signal, so that the interpreter writes its byte."""


@contextmanager
def held_back() -> Iterator[None]:
    """Hold the signals back: around a fork, they are for the parent until the child has its own."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def leave_group() -> None:
    """Let a forked child be in no other's process group, and end by a signal as if on its own.

    The signals are ignored first: that discards what a signal to the group has left pending here.
    """
    os.setpgid(0, 0)
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, SIGNALS)


def end_within(seconds: float) -> None:
    """Have the kernel end this process by SIGALRM if it has not ended by itself in so many seconds.

    Python joins its threads when it ends, and one that waits for an event loop that has ended, or
    for ever, is never joined. Call it in the main thread.
    """
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGALRM})
    signal.setitimer(signal.ITIMER_REAL, max(seconds, SHORTEST_SECONDS))
