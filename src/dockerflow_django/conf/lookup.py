"""Where a setting's value comes from: the settings, the environment, ``.env``, or the default."""

import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, Literal, Protocol, TypeVar, cast, overload

from django.conf import settings

from dockerflow_django.logging.scrubbing import scrub

T = TypeVar("T")
Origin = Literal["settings", "environment", ".env", "default"]

FILE_SUFFIX = "_FILE"
MASK = "********"


class Environment:
    """The environment of the process, without a ``.env`` below it."""

    file: Mapping[str, str] = MappingProxyType({})
    """What ``.env`` holds."""

    def get(self, name: str) -> str | None:
        """Return the variable's value, None if there is none."""
        return os.environ.get(name)


def read_environment(base_dir: Any) -> Environment:
    """Return the environment of the process and, below it, ``.env`` in the folder, if there is one.

    A file that cannot be read counts as none; a system check tells of it.
    """
    if _has_env_file(base_dir):
        from dockerflow_django.conf.env_file import EnvironmentWithFile

        with suppress(OSError, ValueError):
            return EnvironmentWithFile(str(Path(base_dir, ".env")))
    return Environment()


@dataclass(frozen=True)
class Found:
    """What one look at a setting found.

    `name` is the name that holds it (``…_FILE`` for a secret in a file). `wanted` completes "it
    must be …" if the raw value cannot be used, and is empty if it can.
    """

    name: str
    raw: object
    value: Any
    origin: Origin
    secret: bool = False
    wanted: str = ""

    @property
    def shown(self) -> str:
        """The raw value as people may see it: scrubbed, and a secret not at all."""
        if self.secret and self.raw is not None:
            return MASK
        try:
            return scrub(repr(self.raw))
        except Exception as error:  # noqa: BLE001 - a project's object may raise anything
            return f"a {type(self.raw).__name__} whose repr raises {type(error).__name__}"


class Holder(Protocol):
    """What holds the settings, and reads the environment once for all of them."""

    problems: dict[str, str]

    @property
    def environment(self) -> Environment:
        """The environment and ``.env``."""
        ...


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
    def __get__(self, instance: Holder, owner: type) -> T: ...

    def __get__(self, instance: Holder | None, owner: type) -> "T | Setting[T]":
        if instance is None:
            return self
        found = self.look_up(instance.environment)
        instance.problems[self.name] = found.wanted
        # The instance's own attribute hides this descriptor until the next reset.
        value: T = found.value
        instance.__dict__[self.name] = value
        return value

    def look_up(self, environment: Environment) -> Found:
        """Find the value, its origin, and what is wrong with it."""
        name, raw, origin = self._find(environment)
        try:
            value = raw if name == self.name else _content(str(raw))
            return Found(name, raw, self._cast_for(origin)(value), origin, self.secret)
        except ValueError as error:
            wanted = scrub(str(error))
        except Exception as error:  # noqa: BLE001 - a project's object may raise anything
            wanted = f"a value that can be read; reading it raised {type(error).__name__}"
        return Found(name, raw, self.cast(self.default), origin, self.secret, wanted=wanted)

    def _find(self, environment: Environment) -> tuple[str, object, Origin]:
        if hasattr(settings, self.name):
            return self.name, getattr(settings, self.name), "settings"
        names = [self.name] if self.from_environment else []
        names += [f"{self.name}{FILE_SUFFIX}"] if self.secret else []
        found = [(name, raw) for name in names if (raw := environment.get(name)) is not None]
        # An empty one comes last: Compose passes it if nobody has set one. Then the environment
        # of the process is before `.env`, whichever of the two names each has.
        found.sort(key=lambda pair: (not pair[1], pair[0] not in os.environ))
        if not found:
            return self.name, self.default, "default"
        name, raw = found[0]
        return name, raw, "environment" if name in os.environ else ".env"

    def _cast_for(self, origin: Origin) -> Callable[[object], T]:
        from_text = origin in {"environment", ".env"} and callable(self.from_environment)
        return cast("Callable[[object], T]", self.from_environment) if from_text else self.cast


def _has_env_file(base_dir: Any) -> bool:
    try:
        return Path(base_dir, ".env").exists()
    except (OSError, TypeError, ValueError):
        return False


def _content(path: str) -> str:
    """Read a secret's file; an empty one would switch off what the secret protects."""
    try:
        content = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ValueError(f"the path of a file that can be read ({error.strerror})") from None
    except UnicodeDecodeError:  # what took its place could be guessed
        raise ValueError("the path of a file in UTF-8") from None
    except ValueError:  # what no file system has: a NUL
        raise ValueError("the path of a file") from None
    if not content:
        raise ValueError("the path of a file that is not empty")
    return content
