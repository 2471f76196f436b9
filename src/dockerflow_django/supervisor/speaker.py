"""Log lines from a thread of their own: a log that is full or slow holds up nobody who watches."""

import queue
import threading
from collections.abc import Callable

# A log that has stopped costs its lines, not memory.
MOST_WAITING = 1000


class Speaker:
    """Calls what writes a line, in order, one after the other."""

    def __init__(self) -> None:
        self._calls: queue.Queue[Callable[[], None]] = queue.Queue(MOST_WAITING)

    def start(self) -> None:
        """Write from now on."""
        threading.Thread(target=self._work, name="dockerflow-log", daemon=True).start()

    def say(self, write: Callable[..., None], *arguments: object) -> None:
        """Have `write` called with the arguments, soon."""
        try:
            self._calls.put_nowait(lambda: write(*arguments))
        except queue.Full:
            return

    def _work(self) -> None:
        while True:
            self._calls.get()()
