"""Read the settings in a child that lives for a moment: the supervisor imports no Django.

What Gunicorn's arbiter imports would outlive a reload, and be inherited unpatched by gevent's
workers.
"""

import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.supervisor.settings import (
    ContainerSettings,
    findings,
    log_findings,
    read_settings,
)


class SettingsError(Exception):
    """The settings are wrong or cannot be read; the text says why."""


def read_in_child(load: Callable[[], None], log: Any) -> ContainerSettings:
    """Have a child `load` the project, run the app's system checks and hand the values over.

    What the checks find is logged. Raises `SettingsError`, also if one of them is an error.
    """
    try:
        content = _content_of_child(load)
    except OSError as error:  # no process, no descriptor
        raise SettingsError(f"the settings cannot be read: {error.strerror}") from error
    if not content:
        raise SettingsError("the settings cannot be read: the process that read them has ended")
    found = json.loads(content)
    log_findings(log, found["errors"], found["warnings"])
    if found["problem"]:
        raise SettingsError(found["problem"])
    return ContainerSettings(**found["values"])


def _content_of_child(load: Callable[[], None]) -> bytes:
    reader, writer = os.pipe()
    with open(reader, "rb") as told:  # noqa: PTH123 - a descriptor
        try:
            pid = os.fork()
            if not pid:
                told.close()
                _write_findings(load, writer)
        finally:
            os.close(writer)
        content = told.read()
    with contextlib.suppress(ChildProcessError):  # Gunicorn before 24 waits for every child
        os.waitpid(pid, 0)
    return content


def _write_findings(load: Callable[[], None], writer: int) -> None:
    """Run in the child: write what was found, and end without what the parent has registered."""
    found: dict[str, Any] = {"errors": [], "warnings": [], "problem": ""}
    try:
        load()
        found["errors"], found["warnings"] = findings()
        found["values"] = asdict(read_settings())
        if found["errors"]:
            found["problem"] = "the settings are wrong, see above"
    except BaseException as error:  # noqa: BLE001 - whatever a project raises
        text = " ".join(scrub(f"{type(error).__name__}: {error}").split())
        found["problem"] = f"the project cannot be loaded: {text}"
    finally:
        try:
            with open(writer, "wb") as told:
                told.write(json.dumps(found).encode())
            sys.stdout.flush()
            sys.stderr.flush()
        finally:  # also if a disk is full
            os._exit(0)
