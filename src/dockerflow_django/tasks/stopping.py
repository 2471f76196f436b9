"""How a background worker is asked to stop: by SIGTERM or SIGINT, from its first line on."""

import os
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopSignals:
    """Counts the signals, and calls whoever listens from a thread of its own.

    Python runs a handler in the main thread when that gets round to it, which may be late: it may
    be looking up a name. So the handler does nothing, and a thread reads the byte that the
    interpreter writes for each signal at once.
    """

    def __init__(self) -> None:
        self._reader, self._writer = socket.socketpair()
        self._writer.setblocking(False)

    def install(self) -> None:
        """Take the signals from now on, as PID 1 too; only the main thread can."""
        signal.set_wakeup_fd(self._writer.fileno(), warn_on_full_buffer=False)
        for number in SIGNALS:
            signal.signal(number, _ignore)
        os.register_at_fork(after_in_child=self._close_in_child)

    def listen(self, on_signal: Callable[[int], None]) -> None:
        """Call `on_signal` with the number of signals so far, for each that came and will come."""
        threading.Thread(
            target=self._listen, args=(on_signal,), name="dockerflow-signals", daemon=True
        ).start()

    def _listen(self, on_signal: Callable[[int], None]) -> None:
        count = 0
        while received := self._reader.recv(64):
            for number in received:
                if number in SIGNALS:
                    count += 1
                    on_signal(count)

    def _close_in_child(self) -> None:  # pragma: no cover - only a forked child comes here
        """Let a forked child, of a handler say, end by a signal as any other program."""
        signal.set_wakeup_fd(-1)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        self._reader.close()
        self._writer.close()


def _ignore(number: int, frame: FrameType | None) -> None:
    """Take the signal, so that the interpreter writes its byte."""
