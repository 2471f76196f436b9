"""Ask whether a storage can be read."""

import os
from typing import Any

from django.core.checks import CheckMessage, Error
from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, Storage, storages

from dockerflow_django import health
from dockerflow_django.checks.messages import failure

DEFAULT_NAME = "dockerflow-check"


def check_storage(
    app_configs: Any,
    *,
    alias: str = "default",
    name: str = DEFAULT_NAME,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Ask a storage whether it holds a file; yes and no both pass. Nothing is written.

    The folder of a ``FileSystemStorage`` must also exist and be readable.

    :param alias: an alias in ``STORAGES``.
    :param name: the name to ask for. On S3, name a file that exists if the credentials may not list
        the bucket: for any other name S3 then answers "forbidden".
    """
    try:
        storage = storages[alias]
    except (ImproperlyConfigured, ImportError, KeyError, TypeError) as error:
        sentence = f'The storage "{alias}" is not one that STORAGES describes: add or correct it.'
        return [failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, error)]
    try:
        _read(storage, name)
    except Exception as error:  # noqa: BLE001 - each backend raises what its client raises
        sentence = f'The storage "{alias}" cannot be read.'
        return [failure(Error, sentence, health.ERROR_STORAGE_FAILED, error)]
    return []


def _read(storage: Storage, name: str) -> None:
    storage.exists(name)
    if isinstance(storage, FileSystemStorage):
        # Its `exists` says "no" whatever is wrong with the folder.
        os.scandir(storage.location).close()
