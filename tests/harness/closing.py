"""What ends with a ``with`` block, whatever has happened in it."""

import threading
from typing import Self


class Closing:
    """Closed at the end of the block; `__enter__` may start something first."""

    def close(self) -> None:
        """Leave nothing behind."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *raised: object) -> None:
        self.close()


class Background(Closing):
    """Runs `_run` in a thread for the length of the block; `_ended` tells it to come to its end."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
