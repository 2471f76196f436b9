"""Rules about ``version.json``, if the app's own callback reads it."""

import os
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Warning  # noqa: A004 - Django's name

from dockerflow_django.conf import conf
from dockerflow_django.system_checks.rule import Finding, rule
from dockerflow_django.version import VersionError, get_version


@rule("dockerflow.W008", Warning)
def check_version_file_is_readable() -> Iterator[Finding]:
    """Find a ``version.json`` that holds no version object."""
    if not _is_read() or not _has_base_dir():
        return
    try:
        get_version(settings.BASE_DIR)
    except VersionError as error:
        yield Finding(
            f"{error}: /__version__ answers 500.",
            "Write a JSON object into it, as `manage.py write_version` does, or remove it.",
        )


@rule("dockerflow.W009", Warning)
def check_base_dir_is_set() -> Iterator[Finding]:
    """Find a project that does not say where its ``version.json`` is."""
    if _is_read() and not _has_base_dir():
        base_dir: Any = getattr(settings, "BASE_DIR", None)
        yield Finding(
            f"BASE_DIR is {base_dir!r}, so there is no version.json: /__version__ answers 404.",
            "Set BASE_DIR to the project's folder, or DOCKERFLOW_VERSION_CALLBACK to a function "
            "of your own.",
        )


def _is_read() -> bool:
    ours = f"{get_version.__module__}.{get_version.__qualname__}"
    callback = conf.DOCKERFLOW_VERSION_CALLBACK
    # A project's object may compare itself as it likes, and raise.
    return callback == ours if isinstance(callback, str) else callback is get_version


def _has_base_dir() -> bool:
    return isinstance(getattr(settings, "BASE_DIR", None), (str, os.PathLike))
