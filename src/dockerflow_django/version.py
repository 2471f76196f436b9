"""Read the version object that Dockerflow asks for: ``version.json`` at the root of the project.

See https://github.com/mozilla-services/Dockerflow/blob/main/docs/version_object.md.
"""

import json
import os
import threading
from pathlib import Path
from typing import Any

from dockerflow_django._state import keeps

__all__ = ["VersionError", "get_version"]

FILE_NAME = "version.json"

_Stamp = tuple[int, int, int]
_lock = threading.Lock()
_read: dict[Path, tuple[_Stamp, dict[str, Any]]] = {}


@keeps("_lock", "_read")
def reset() -> None:
    """Forget the files that were read."""
    global _lock, _read
    _lock, _read = threading.Lock(), {}


class VersionError(Exception):
    """Say why the file holds no version object; the text names the file, never its folder."""


def get_version(root: "str | os.PathLike[str] | None") -> dict[str, Any] | None:
    """Return the object in ``version.json`` below `root`, or None where there is no such file.

    The file is read once, and again when it changes. Raises `VersionError` where it cannot be read
    or does not hold a JSON object.
    """
    if root is None:
        return None
    path = Path(root, FILE_NAME)
    try:
        status = path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise VersionError(f"{FILE_NAME} cannot be read: {error.strerror}") from error
    stamp = (status.st_mtime_ns, status.st_size, status.st_ino)
    with _lock:
        if path not in _read or _read[path][0] != stamp:
            _read[path] = (stamp, _load(path))
        return dict(_read[path][1])


def _load(path: Path) -> dict[str, Any]:
    try:
        version = json.loads(path.read_text(encoding="utf-8"), parse_constant=_refuse)
    except OSError as error:
        raise VersionError(f"{FILE_NAME} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise VersionError(f"{FILE_NAME} is not valid JSON") from error
    if not isinstance(version, dict):
        raise VersionError(f"{FILE_NAME} holds a JSON {_kind(version)}, not an object")
    return version


def _kind(value: object) -> str:
    names = {list: "list", str: "string", bool: "boolean", type(None): "null"}
    return names.get(type(value), "number")


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")
