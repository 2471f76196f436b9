"""The file that tells every process of a container that it drains, and which life it tells of.

A marker may outlive its container, in a volume or after a kill, and its folder may be open to
other users. So it names the life it belongs to and is obeyed in no other, and it is obeyed only
if it is a file of our own user, never through a link.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import suppress
from pathlib import Path

from dockerflow_django.client.life import UNKNOWN, boot_id, started_at

SIGNATURE = "dockerflow-drain"

# Where /proc does not tell the life, a marker of an earlier one looks like one of this, so it
# counts for a time only: longer than any shutdown takes.
UNKNOWN_LIFE_SECONDS = 600.0

_MARKER_BYTES = 256
_ATTEMPTS = 50
_PAUSE_SECONDS = 0.01


def exists(path: str) -> bool:
    """Say whether a marker at path makes the processes of this life drain."""
    return draining_since(path) is not None


def draining_since(path: str) -> float | None:
    """Return when draining began, as `time.monotonic` counts, or None if no marker is obeyed.

    That clock is the same in every process of a system, so one can subtract what another noted; it
    does not move with the date, and when it starts anew, at boot, a new life starts too. A marker
    of ours that tells of another life is removed.
    """
    try:
        descriptor = _open(path)
    except OSError:
        return None
    try:
        return _obey(path, descriptor)
    except OSError:
        return None
    finally:
        os.close(descriptor)


def create(path: str) -> float:
    """Leave a marker of this life at path, and return when draining began.

    One of this life that is there already stays, and so does its time. Markers of other lives and
    users and links are replaced, never followed. Raises OSError if that cannot be done, and
    FileExistsError if what is in the way is no marker, and so may be of worth to somebody.
    """
    for _ in range(_ATTEMPTS):
        with suppress(FileExistsError):
            return _create(path)
        since = draining_since(path)
        if since is not None:
            return since
        _make_way(path)
    raise FileExistsError(errno.EEXIST, "what is there cannot be replaced", path)


def _open(path: str) -> int:
    # A pipe that somebody put there must not hold us up, hence O_NONBLOCK.
    return os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)


def _obey(path: str, descriptor: int) -> float | None:
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        return None
    content = os.read(descriptor, _MARKER_BYTES)
    since = _time_in_this_life(content)
    if since is None and _is_marker(content):
        _remove(path, descriptor)
    return since


def _is_marker(content: bytes) -> bool:
    return content.startswith(SIGNATURE.encode())


def _time_in_this_life(content: bytes) -> float | None:
    """Return the time in a marker of this life, None for any other and for a time to come."""
    life = _life()
    start = f"{SIGNATURE} {life} ".encode()
    if not content.startswith(start):
        return None
    try:
        since = float(content.removeprefix(start))
    except ValueError:
        return None
    most = UNKNOWN_LIFE_SECONDS if UNKNOWN in life.split() else float("inf")
    return since if 0 <= time.monotonic() - since <= most else None


def _life() -> str:
    """Name this life of the container: the boot, and when its first process started after that."""
    return f"{boot_id()} {started_at(1) or UNKNOWN}"


def _create(path: str) -> float:
    now = time.monotonic()
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(path, flags, 0o600)
    try:
        os.write(descriptor, f"{SIGNATURE} {_life()} {now!r}\n".encode())
    except OSError:
        Path(path).unlink(missing_ok=True)
        raise
    finally:
        os.close(descriptor)
    return now


def _remove(path: str, descriptor: int) -> None:
    """Remove the marker of ours behind the descriptor, unless another has taken its place.

    Only who holds its lock removes it, so nobody can replace it between the look and the removal:
    a drain that begins while readiness tidies up is not lost.
    """
    import fcntl

    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(os.fstat(descriptor), Path(path).lstat()):
            Path(path).unlink()


def _make_way(path: str) -> None:
    """Remove a link, an empty file or another user's marker; raise OSError for anything else."""
    with suppress(FileNotFoundError):  # it may go by itself, at any moment
        status = Path(path).lstat()
        content = _content(path, status)
        if content and not _is_marker(content):
            raise FileExistsError(errno.EEXIST, "what is there is no drain marker", path)
        if content and status.st_uid == os.geteuid():
            time.sleep(_PAUSE_SECONDS)  # another process is about to remove it
        else:
            Path(path).unlink()


def _content(path: str, status: os.stat_result) -> bytes:
    if stat.S_ISLNK(status.st_mode):
        return b""
    if not stat.S_ISREG(status.st_mode):
        return b"no file"
    descriptor = _open(path)
    try:
        return os.read(descriptor, _MARKER_BYTES)
    finally:
        os.close(descriptor)
