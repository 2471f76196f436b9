"""Read the version object that Dockerflow asks for: ``version.json`` at the root of the project.

See https://github.com/mozilla-services/Dockerflow/blob/main/docs/version_object.md.
"""

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.serializers.json import DjangoJSONEncoder
from django.utils.module_loading import import_string

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf

__all__ = ["VersionError", "current_version", "get_version"]

FILE_NAME = "version.json"

logger = logging.getLogger("dockerflow_django")

_Stamp = tuple[int, int, int]
_lock = threading.Lock()
_read: dict[Path, tuple[_Stamp, dict[str, Any]]] = {}


@keeps("_lock", "_read")
def reset() -> None:
    """Forget the files that were read."""
    global _lock, _read
    _lock, _read = threading.Lock(), {}


class VersionError(Exception):
    """There is a version object, but it cannot be shown.

    The text says why. It may name the file ``version.json``, but never its folder.
    """


def current_version() -> dict[str, Any] | None:
    """Return the version object that ``/__version__`` answers with, or None if there is none.

    It is what ``DOCKERFLOW_VERSION_CALLBACK`` returns: a dict that JSON can hold, with the keys
    ``source``, ``version``, ``commit`` and ``build`` if it keeps to Dockerflow.

    :raises VersionError: if the callback raises, or returns something that is not a JSON object;
        the cause is logged.
    """
    callback = conf.DOCKERFLOW_VERSION_CALLBACK
    try:
        function = import_string(callback) if isinstance(callback, str) else callback
        version = function(getattr(settings, "BASE_DIR", None))
    except VersionError as error:
        logger.error("%s", error)  # noqa: TRY400 - the sentence says all
        raise
    except Exception as error:
        logger.exception("DOCKERFLOW_VERSION_CALLBACK raised")
        sentence = f"DOCKERFLOW_VERSION_CALLBACK raised {type(error).__name__}"
        raise VersionError(sentence) from error
    return None if version is None else _as_object(version)


def version_fields() -> dict[str, Any]:
    """Return the version object, empty if there is none or it cannot be shown."""
    try:
        return current_version() or {}
    except VersionError:
        return {}


def version_name() -> str | None:
    """Return the ``version`` in the version object as text, None if it has none."""
    name = version_fields().get("version")
    return None if name is None else str(name)


def _as_object(version: object) -> dict[str, Any]:
    if not isinstance(version, Mapping):
        raise VersionError("DOCKERFLOW_VERSION_CALLBACK did not return a mapping")
    try:
        fields = dict(version)
        # Encoded, as half a surrogate pair would break whoever shows it: the page, the metrics.
        json.dumps(fields, cls=DjangoJSONEncoder, allow_nan=False, ensure_ascii=False).encode()
    except Exception as error:
        logger.error("The version object is not JSON: %s", error)  # noqa: TRY400 - the sentence says all
        raise VersionError("The version object holds what JSON cannot") from error
    return fields


def get_version(root: "str | os.PathLike[str] | None") -> dict[str, Any] | None:
    """Return the object in the file ``version.json``, or None if there is no such file.

    It is the default of ``DOCKERFLOW_VERSION_CALLBACK``. The file is read once, and again when it
    changes.

    :param root: the folder of the file, usually ``BASE_DIR``; with None the result is None.
    :raises VersionError: if the file cannot be read or does not hold a JSON object.
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
