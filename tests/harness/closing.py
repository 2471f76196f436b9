"""What ends with a ``with`` block, whatever has happened in it."""

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
