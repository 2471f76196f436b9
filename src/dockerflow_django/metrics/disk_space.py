"""Files of values that cost no process its life if the disk is full.

prometheus_client maps its files into memory and makes them longer without reserving disk space. If
the disk is full, whoever writes to such a page is killed by SIGBUS. Here the space is reserved
before a page is written, and a value that gets none is kept in memory: no scrape shows it.
"""

import errno
import mmap
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from prometheus_client import values
from prometheus_client.mmap_dict import MmapedDict

from dockerflow_django._state import keeps

# What a value takes beside its key: the key's length, padding, the number and its time.
VALUE_BYTES = 64

# A system that cannot tell whether there is space is taken at its word.
_CANNOT_TELL = {errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}

_ADVICE = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), "Give the folder more room."),
    **dict.fromkeys(
        (errno.EROFS, errno.EACCES, errno.EPERM), "Make the folder writable for this user."
    ),
    **dict.fromkeys((errno.EMFILE, errno.ENFILE), "Raise the limit of open files."),
}

Value = tuple[float, float]


class Losses:
    """Why this process keeps values that no scrape shows, and what helps. Empty: it keeps none."""

    reason = ""
    advice = ""

    def note(self, error: OSError) -> None:
        """Keep why a value is in no file."""
        self.reason = error.strerror or str(error)
        self.advice = _ADVICE.get(error.errno or 0, "")

    def forget(self) -> None:
        """Know of no loss."""
        self.reason = self.advice = ""


losses = Losses()


@keeps("losses")
def _forget() -> None:
    losses.forget()


class CheckedDict:
    """One file of values, as the classes of `prometheus_client.values` use it."""

    def __init__(self, filename: str) -> None:
        self._lost: dict[str, Value] = {}
        self._reserved = 0
        self._file: Any = MmapedDict(filename) if self._make(filename) else None

    def read_value(self, key: str) -> Value:
        """Return the value and its time, zeros for a new key."""
        if not self._is_in_file(key):
            return self._lost.setdefault(key, (0.0, 0.0))
        value: Value = self._file.read_value(key)
        return value

    def write_value(self, key: str, value: float, timestamp: float) -> None:
        """Keep the value: in the file, or in memory if there was no space for its key."""
        if self._is_in_file(key):
            self._file.write_value(key, value, timestamp)
        else:
            self._lost[key] = (value, timestamp)

    def close(self) -> None:
        """Close the file, if there is one."""
        if self._file is not None:
            self._file.close()

    # The rest reads what prometheus_client does not name for others; a test of a full disk fails
    # if that changes.

    def _is_in_file(self, key: str) -> bool:
        if self._file is None or key in self._lost:
            return False
        if key in self._file._positions:  # noqa: SLF001
            return True
        size = self._file._used + len(key.encode()) + VALUE_BYTES  # noqa: SLF001
        return self._reserve(self._file._f.fileno(), size)  # noqa: SLF001

    def _make(self, filename: str) -> bool:
        """Make the file, with space for its head; tell whether that could be done."""
        try:
            with Path(filename).open("a+b") as file:
                is_new = file.tell() == 0
                has_space = self._reserve(file.fileno(), mmap.PAGESIZE)
        except OSError as error:
            losses.note(error)
            return False
        if is_new and not has_space:
            with suppress(OSError):
                Path(filename).unlink()
        return has_space

    def _reserve(self, descriptor: int, size: int) -> bool:
        """Reserve so many bytes, in whole pages; tell whether they are there."""
        size += -size % mmap.PAGESIZE
        if size <= self._reserved:
            return True
        try:
            os.posix_fallocate(descriptor, 0, size)
        except OSError as error:
            if error.errno not in _CANNOT_TELL:
                losses.note(error)
                return False
        self._reserved = size
        return True


def install() -> None:
    """Have every file of values that this process makes from now on be such a one."""
    if hasattr(os, "posix_fallocate"):
        module: Any = values
        module.MmapedDict = CheckedDict
