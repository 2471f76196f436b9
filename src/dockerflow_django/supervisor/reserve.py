"""A descriptor kept for the moment when a process has no other left."""

import os
import threading
from contextlib import suppress


class Reserve:
    """One open descriptor, to be given up for one that is needed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._descriptor: int | None = None
        self.refill()

    def give_up(self) -> None:
        """Close it, if it is there."""
        with self._lock:
            descriptor, self._descriptor = self._descriptor, None
            if descriptor is not None:
                os.close(descriptor)

    def refill(self) -> None:
        """Open it again, if it is not there and can be."""
        with self._lock, suppress(OSError):
            if self._descriptor is None:
                self._descriptor = os.open(os.devnull, os.O_RDONLY)

    def close_in_child(self) -> None:
        """Close it in a forked child, in which nobody gives back a lock that was held."""
        if self._descriptor is not None:
            os.close(self._descriptor)
