"""The settings of the app, each looked up late and read anew when it is overridden.

A value comes from the project's settings, else from the environment variable of the same name, else
from ``BASE_DIR/.env``, else it is the default. If a value is wrong the app goes on with the
default, `Conf.problem` tells what is wrong, and a system check names setting, value and fix.
"""

import os
from collections.abc import Iterable, Iterator
from functools import cached_property
from typing import Any, ClassVar

from django.conf import settings
from django.core.signals import setting_changed

from dockerflow_django._state import keeps
from dockerflow_django.conf import casts, places
from dockerflow_django.conf.lookup import (
    FILE_SUFFIX,
    MASK,
    Environment,
    Found,
    Origin,
    Setting,
    read_environment,
)

__all__ = [
    "APP_NAME",
    "DEFAULT_CHECKS",
    "FILE_SUFFIX",
    "MASK",
    "METRICS_NAME",
    "MIDDLEWARE",
    "Conf",
    "Found",
    "Setting",
    "conf",
]

# The namespace of the URLs, and the label of the app.
APP_NAME = "dockerflow"
METRICS_NAME = "dockerflow_metrics"
MIDDLEWARE = "dockerflow_django.middleware.DockerflowMiddleware"
DEFAULT_CHECKS = (
    "dockerflow_django.checks.check_database_connected",
    "dockerflow_django.checks.check_migrations_applied",
)
PREFIX = "DOCKERFLOW_"


class Conf:
    """Every setting of the app, as an attribute that holds the typed value."""

    DOCKERFLOW_VERSION_CALLBACK = Setting(
        "dockerflow_django.version.get_version", casts.target, from_environment=False
    )
    DOCKERFLOW_CHECKS = Setting(DEFAULT_CHECKS, casts.entries, from_environment=False)
    DOCKERFLOW_PROBES = Setting({}, casts.probes, from_environment=False)
    DOCKERFLOW_HEARTBEAT_FAIL_LEVEL = Setting("WARNING", casts.level)
    DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE = Setting(500, casts.integer(400, 599))
    DOCKERFLOW_HEARTBEAT_DETAILS = Setting(
        "debug", casts.details, from_environment=casts.details_word
    )
    DOCKERFLOW_HEARTBEAT_TOKEN = Setting(None, casts.optional(casts.token), secret=True)
    DOCKERFLOW_HEARTBEAT_MAX_AGE = Setting(1.0, casts.number(0))
    DOCKERFLOW_CHECK_TIMEOUT = Setting(0.8, casts.number(0, above=True))
    DOCKERFLOW_ERROR_ENDPOINT = Setting(False, casts.boolean)
    DOCKERFLOW_REQUEST_ID_HEADER_NAME = Setting("X-Request-ID", casts.optional(casts.header_name))
    DOCKERFLOW_SUMMARY_LOG_QUERYSTRING = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_LOG_HEALTH = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_EXCLUDE = Setting((), casts.patterns)
    DOCKERFLOW_SUMMARY_SAMPLE_RATE = Setting(1.0, casts.number(0, 1))
    DOCKERFLOW_SUMMARY_EXTRA = Setting(None, casts.optional(casts.target), from_environment=False)
    DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS = Setting(None, casts.optional(casts.integer(1, 10**9)))
    DOCKERFLOW_LIVENESS_STALL_SECONDS = Setting(None, casts.optional(casts.number(0, above=True)))
    DOCKERFLOW_PROBE_PORT = Setting(None, casts.optional(casts.integer(1, 65535)))
    DOCKERFLOW_PROBE_HOST = Setting("0.0.0.0", places.host)  # noqa: S104 - the kubelet is elsewhere
    DOCKERFLOW_WORKER_SILENT_SECONDS = Setting(10.0, casts.number(0, above=True))
    DOCKERFLOW_WORKER_START_SECONDS = Setting(120.0, casts.number(0, above=True))
    DOCKERFLOW_PROBE_FILE = Setting(None, casts.optional(places.absolute_path))
    DOCKERFLOW_WORKER_STALL_SECONDS = Setting(60.0, casts.number(0, above=True))
    DOCKERFLOW_DRAIN_PATH = Setting(None, casts.optional(places.absolute_path))
    DOCKERFLOW_DRAIN_SECONDS = Setting(5.0, casts.number(0, 86_400))
    DOCKERFLOW_WEBHOOK_URL = Setting(None, casts.optional(places.web_url), secret=True)
    DOCKERFLOW_WEBHOOK_SECRET = Setting(None, casts.optional(casts.text), secret=True)

    table: ClassVar[dict[str, Setting[Any]]] = {
        name: setting for name, setting in vars().items() if isinstance(setting, Setting)
    }

    def __init__(self) -> None:
        self.problems: dict[str, str] = {}

    @cached_property
    def environment(self) -> Environment:
        """The process's environment, and below it ``BASE_DIR/.env`` if there is one."""
        return read_environment(getattr(settings, "BASE_DIR", None))

    def problem(self, name: str) -> str:
        """Return what the setting must be, if its value cannot be used; else an empty string.

        The attribute holds the default then. Ask if the default would be a mistake: no check for a
        misspelt one, no signature for a secret that cannot be read.
        """
        getattr(self, name)
        return self.problems[name]

    def raw(self, name: str) -> object:
        """Return the setting's value as it is written."""
        return self.table[name].look_up(self.environment).raw

    def look_up_all(self) -> Iterator[Found]:
        """Look every setting up anew, in the order of the table above."""
        return (setting.look_up(self.environment) for setting in self.table.values())

    def written(self) -> Iterator[tuple[str, Origin]]:
        """Name whatever is written as a setting of the app, and its origin."""
        places: dict[Origin, Iterable[str]] = {
            "settings": dir(settings),
            "environment": os.environ,
            ".env": self.environment.file,
        }
        for origin, names in places.items():
            yield from ((name, origin) for name in sorted(names) if name.startswith(PREFIX))

    def reset(self) -> None:
        """Forget what was read."""
        self.__dict__.clear()
        self.problems = {}


conf = Conf()
keeps("conf", after_fork=False)(conf.reset)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "BASE_DIR" or setting.startswith(PREFIX):
        conf.reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.conf")
