"""The settings of the app, each looked up late and read anew when it is overridden.

A value comes from the project's settings, else from the environment variable of the same name, else
from ``BASE_DIR/.env``, else it is the default. A wrong value counts as absent: the app goes on with
the default, and a system check names the setting, the value and the fix.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, TypeVar, cast, overload

from decouple import Config, RepositoryEmpty, RepositoryEnv, UndefinedValueError
from django.conf import settings
from django.core.signals import setting_changed

from dockerflow_django._state import keeps
from dockerflow_django.conf import casts

T = TypeVar("T")
Origin = Literal["settings", "environment", ".env", "default"]

# The namespace of the URLs, and the label of the app.
APP_NAME = "dockerflow"
DEFAULT_CHECKS = (
    "dockerflow_django.checks.check_database_connected",
    "dockerflow_django.checks.check_migrations_applied",
)
PREFIX = "DOCKERFLOW_"
FILE_SUFFIX = "_FILE"
MASK = "********"


@dataclass(frozen=True)
class Found:
    """What one look at a setting found.

    `name` is where it stood (``…_FILE`` for a secret in a file), `wanted` completes "it must be …"
    where the raw value does not do, and is empty where it does.
    """

    name: str
    raw: object
    value: Any
    origin: Origin
    secret: bool = False
    wanted: str = ""

    @property
    def shown(self) -> str:
        """The raw value as people may see it: a secret's never."""
        return MASK if self.secret and self.raw is not None else repr(self.raw)


class Setting(Generic[T]):
    """One setting; its name is the name of the attribute that holds it."""

    def __init__(
        self,
        default: object,
        cast: Callable[[object], T],
        *,
        secret: bool = False,
        from_environment: Callable[[object], T] | bool = True,
    ) -> None:
        """Take `from_environment`: whether the environment is asked, or how its text is cast."""
        self.default = default
        self.cast = cast
        self.secret = secret
        self.from_environment = from_environment

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    @overload
    def __get__(self, instance: None, owner: type) -> "Setting[T]": ...

    @overload
    def __get__(self, instance: "Conf", owner: type) -> T: ...

    def __get__(self, instance: "Conf | None", owner: type) -> "T | Setting[T]":
        if instance is None:
            return self
        # The instance's own attribute hides this descriptor until the next reset.
        value: T = self.look_up(instance.environment).value
        instance.__dict__[self.name] = value
        return value

    def look_up(self, environment: Config) -> Found:
        """Find the value and say where it stood and what is wrong with it."""
        name, raw, origin = self._find(environment)
        try:
            value = raw if name == self.name else _content(str(raw))
            return Found(name, raw, self._cast_for(origin)(value), origin, self.secret)
        except ValueError as error:
            default = self.cast(self.default)
            return Found(name, raw, default, origin, self.secret, wanted=str(error))

    def _find(self, environment: Config) -> tuple[str, object, Origin]:
        if hasattr(settings, self.name):
            return self.name, getattr(settings, self.name), "settings"
        names = [self.name] if self.from_environment else []
        names += [f"{self.name}{FILE_SUFFIX}"] if self.secret else []
        for name in names:
            try:
                raw: str = environment.get(name)
            except UndefinedValueError:
                continue
            return name, raw, "environment" if name in os.environ else ".env"
        return self.name, self.default, "default"

    def _cast_for(self, origin: Origin) -> Callable[[object], T]:
        from_text = origin in {"environment", ".env"} and callable(self.from_environment)
        return cast("Callable[[object], T]", self.from_environment) if from_text else self.cast


def _content(path: str) -> str:
    """Read a secret's file; an empty one would switch off what the secret protects."""
    try:
        content = Path(path).read_text(encoding="utf-8", errors="replace").strip()
    except OSError as error:
        raise ValueError(f"the path of a file that can be read ({error.strerror})") from None
    if not content:
        raise ValueError("the path of a file that is not empty")
    return content


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
    DOCKERFLOW_HEARTBEAT_MAX_AGE = Setting(1.0, casts.number(0))
    DOCKERFLOW_CHECK_TIMEOUT = Setting(0.8, casts.number(0, above=True))
    DOCKERFLOW_ERROR_ENDPOINT = Setting(False, casts.boolean)
    DOCKERFLOW_REQUEST_ID_HEADER_NAME = Setting("X-Request-ID", casts.header_name)
    DOCKERFLOW_SUMMARY_LOG_QUERYSTRING = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_LOG_HEALTH = Setting(False, casts.boolean)
    DOCKERFLOW_SUMMARY_EXCLUDE = Setting((), casts.patterns)
    DOCKERFLOW_SUMMARY_SAMPLE_RATE = Setting(1.0, casts.number(0, 1))
    DOCKERFLOW_SUMMARY_EXTRA = Setting(None, casts.optional(casts.target), from_environment=False)
    DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS = Setting(None, casts.optional(casts.integer(1, 10**9)))
    DOCKERFLOW_LIVENESS_STALL_SECONDS = Setting(None, casts.optional(casts.number(0, above=True)))
    DOCKERFLOW_PROBE_PORT = Setting(None, casts.optional(casts.integer(1, 65535)))
    DOCKERFLOW_PROBE_HOST = Setting("0.0.0.0", casts.text)  # noqa: S104 - the kubelet is elsewhere
    DOCKERFLOW_PROBE_FILE = Setting(None, casts.optional(casts.absolute_path))
    DOCKERFLOW_WORKER_STALL_SECONDS = Setting(60.0, casts.number(0, above=True))
    DOCKERFLOW_DRAIN_PATH = Setting(None, casts.optional(casts.absolute_path))
    DOCKERFLOW_DRAIN_SECONDS = Setting(5.0, casts.number(0))
    DOCKERFLOW_WEBHOOK_URL = Setting(None, casts.optional(casts.web_url), secret=True)
    DOCKERFLOW_WEBHOOK_SECRET = Setting(None, casts.optional(casts.text), secret=True)

    table: ClassVar[dict[str, Setting[Any]]] = {
        name: setting for name, setting in vars().items() if isinstance(setting, Setting)
    }

    @cached_property
    def environment(self) -> Config:
        """The process's environment, and below it ``BASE_DIR/.env`` where there is one."""
        base_dir: Any = getattr(settings, "BASE_DIR", None)
        try:
            return Config(RepositoryEnv(str(Path(base_dir, ".env"))))
        except (OSError, TypeError, ValueError):
            return Config(RepositoryEmpty())

    def look_up_all(self) -> Iterator[Found]:
        """Look every setting up anew, in the order of the table above."""
        return (setting.look_up(self.environment) for setting in self.table.values())

    def written(self) -> Iterator[tuple[str, Origin]]:
        """Name whatever is written as a setting of the app, and where it stands."""
        dotenv: dict[str, str] = getattr(self.environment.repository, "data", {})
        places: dict[Origin, Iterable[str]] = {
            "settings": dir(settings),
            "environment": os.environ,
            ".env": dotenv,
        }
        for origin, names in places.items():
            yield from ((name, origin) for name in sorted(names) if name.startswith(PREFIX))

    def reset(self) -> None:
        """Forget what was read."""
        self.__dict__.clear()


conf = Conf()
keeps("conf", after_fork=False)(conf.reset)


def _forget(*, setting: str, **kwargs: object) -> None:
    if setting == "BASE_DIR" or setting.startswith(PREFIX):
        conf.reset()


setting_changed.connect(_forget, dispatch_uid="dockerflow_django.conf")
