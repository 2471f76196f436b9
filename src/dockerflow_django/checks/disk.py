"""Ask how full a file system is."""

import os
from typing import Any

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004 - Django's name

from dockerflow_django import health
from dockerflow_django.checks.messages import failure


def check_disk_space(
    app_configs: Any,
    *,
    path: str | os.PathLike[str] = "/",
    label: str = "disk",
    warning_below_percent: float = 10,
    error_below_percent: float = 5,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Compare the free space and the free inodes of a file system with two limits.

    The percentages are of what an unprivileged user can have, as ``df`` counts them.

    :param path: any path on the file system.
    :param label: what the message calls the file system, since the path is not shown in public.
    :param warning_below_percent: with less than this free, the check is a warning.
    :param error_below_percent: with less than this free, the check is an error.
    """
    try:
        free = _percent_free(path)
    except (OSError, ValueError) as error:
        sentence = f"The {label} cannot be measured: does the path exist?"
        return [failure(Error, sentence, health.ERROR_DISK_UNREADABLE, error)]
    cause = ", ".join(f"{percent:.1f} % of {what} free" for what, percent in free.items())
    least = min(free.values())
    if least < error_below_percent:
        sentence = f"The {label} is full: less than {error_below_percent:g} % is free."
        return [failure(Error, sentence, health.ERROR_DISK_SPACE_EXHAUSTED, f"{path}: {cause}")]
    if least < warning_below_percent:
        sentence = f"The {label} is nearly full: less than {warning_below_percent:g} % is free."
        return [failure(Warning, sentence, health.WARNING_DISK_SPACE_LOW, f"{path}: {cause}")]
    return []


def _percent_free(path: str | os.PathLike[str]) -> dict[str, float]:
    found = os.statvfs(path)
    if not found.f_blocks:
        msg = f"{os.fspath(path)} is on a file system without a size"
        raise ValueError(msg)
    # As `df` counts: blocks reserved for root are neither used nor to be had.
    used = found.f_blocks - found.f_bfree
    free = {"space": 100 * found.f_bavail / (used + found.f_bavail)}
    # Some file systems, btrfs among them, have no fixed number of files.
    if found.f_files:
        free["files"] = 100 * found.f_favail / found.f_files
    return free
