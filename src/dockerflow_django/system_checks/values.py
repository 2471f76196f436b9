"""Rules about the values of settings and where they stand."""

import difflib
import os
import re
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004 - Django's name

from dockerflow_django.conf import FILE_SUFFIX, Found, conf
from dockerflow_django.conf.env_file import EnvFile
from dockerflow_django.logging.text import well_formed
from dockerflow_django.system_checks.rule import Finding, rule

_PLACES = {
    "settings": "the project's settings",
    "environment": "the environment",
    ".env": ".env",
    "default": "the defaults",
}
# What Kubernetes sets in every container for a Service that is named dockerflow or dockerflow-….
_SERVICE_LINK = re.compile(r"\w+?_(SERVICE_HOST=|SERVICE_PORT(_\w+)?=|PORT=\w+://|PORT_\d+_)")

# What `healthcheck` and `drain` need, which load neither Django nor the settings.
_OF_THE_CLIENTS = ("DOCKERFLOW_PROBE_PORT", "DOCKERFLOW_PROBE_HOST", "DOCKERFLOW_DRAIN_PATH")


@rule("dockerflow.E001", Error)
def check_values() -> Iterator[Finding]:
    """Find settings whose value the app cannot use."""
    for found in conf.look_up_all():
        if found.wanted:
            yield Finding(
                f"{found.name} is {found.shown}, but must be {found.wanted}.",
                f"Correct it in {_PLACES[found.origin]}, or remove it there; until then its "
                "default is used.",
            )


@rule("dockerflow.W001", Warning)
def check_environment_is_read() -> Iterator[Finding]:
    """Find environment variables of settings that the environment cannot set."""
    for name, origin in conf.written():
        setting = conf.table.get(name)
        if origin != "settings" and setting is not None and not setting.from_environment:
            yield Finding(
                f"{name} stands in {_PLACES[origin]}, where it is not read.",
                "Set it in the project's settings: which code runs is not for the environment "
                "to say.",
            )


@rule("dockerflow.W002", Warning)
def check_names_are_known() -> Iterator[Finding]:
    """Find names that look like a setting of the app and are none."""
    secrets = {name + FILE_SUFFIX for name, setting in conf.table.items() if setting.secret}
    for name, origin in conf.written():
        if origin == "settings" and name in secrets:
            hint = f"Only the environment can name a file for {name.removesuffix(FILE_SUFFIX)}."
        elif name in conf.table or name in secrets or _is_service_link(name):
            continue
        else:
            close = difflib.get_close_matches(name, conf.table, n=1, cutoff=0.8)
            hint = f"Did you mean {close[0]}?" if close else "Remove it: nothing reads it."
        shown = well_formed(name)  # bytes that are no UTF-8 could not be printed
        yield Finding(f"{shown} in {_PLACES[origin]} is no setting of dockerflow_django.", hint)


@rule("dockerflow.W003", Warning)
def check_env_file_is_readable() -> Iterator[Finding]:
    """Find a ``.env`` that cannot be read."""
    base_dir = getattr(settings, "BASE_DIR", "")
    try:
        EnvFile(str(Path(base_dir, ".env")))
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError, TypeError):
        return  # nothing there to read; a folder of that name is a virtual environment
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or "it is not UTF-8"
        yield Finding(
            f".env in BASE_DIR cannot be read ({why}), so no setting is taken from it.",
            "Make it readable for the user that runs the app, as UTF-8, or remove it.",
        )


@rule("dockerflow.W017", Warning)
def check_clients_find_them() -> Iterator[Finding]:
    """Find settings that the clients without Django need, where these do not look."""
    for found in conf.look_up_all():
        is_set = found.name in _OF_THE_CLIENTS and found.value != conf.table[found.name].default
        if is_set and not _is_in_environment(found):
            yield Finding(
                f"{found.name} stands in {_PLACES[found.origin]}, where healthcheck and drain do "
                "not look.",
                f"Set the environment variable {found.name} to the same value: both load neither "
                "Django nor its settings.",
            )


@rule("dockerflow.W018", Warning)
def check_failed_status_code_is_5xx() -> Iterator[Finding]:
    """Find a status code of the heartbeat that blames the client."""
    status = conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        yield Finding(
            f"DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE is {status}, but Dockerflow asks for a 5xx.",
            "Set it to 500 or 503, or remove it: what asks may take a 4xx for its own mistake, and "
            "the service for healthy.",
        )


def _is_in_environment(found: Found) -> bool:
    """Tell whether the environment says the same; the project's settings may be made from it."""
    text = os.environ.get(found.name)
    if found.origin == "environment" or text is None:
        return text is not None
    try:
        return bool(conf.table[found.name].cast(text) == found.value)
    except ValueError:
        return False


def _is_service_link(name: str) -> bool:
    return _SERVICE_LINK.match(f"{name}={os.environ.get(name)}") is not None
