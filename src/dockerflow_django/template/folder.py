"""A folder that is filled completely, or not at all."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# A repository may be there already.
_MAY_BE_THERE = {".git"}


@contextmanager
def all_or_nothing(folder: Path) -> Iterator[Path]:
    """Give a folder to write to, and make it `folder` at the end; after an error nothing is left.

    `folder` is new, or empty. A new one is written beside its place and renamed. One that is there
    stays the same folder, as it may be a shell's current one or a mount: what was written in it is
    moved up at the end. OSError tells what cannot be written.
    """
    is_new = not folder.exists()
    if not is_new:
        _check_empty(folder)
    written = _temporary_folder(folder.absolute().parent if is_new else folder)
    try:
        yield written
        if is_new:
            written.chmod(0o777 & ~_umask())
            written.rename(folder)
        else:
            _move_up(written, folder)
    finally:
        shutil.rmtree(written, ignore_errors=True)


def _temporary_folder(parent: Path) -> Path:
    try:
        return Path(tempfile.mkdtemp(prefix=".startproject-", dir=parent))
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(parent)) from error


def _check_empty(folder: Path) -> None:
    if {path.name for path in folder.iterdir()} - _MAY_BE_THERE:
        raise OSError(errno.ENOTEMPTY, "the folder is not empty", str(folder))


def _move_up(written: Path, folder: Path) -> None:
    moved: list[Path] = []
    try:
        moved.extend(path.rename(folder / path.name) for path in sorted(written.iterdir()))
    except BaseException:
        for path in moved:
            path.rename(written / path.name)
        raise


def _umask() -> int:
    """Return the umask, which can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
