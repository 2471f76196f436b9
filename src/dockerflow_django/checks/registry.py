"""Which checks there are: those of the settings, those registered here, those registered in Django.

The registry is our own, with the call shape of Django's: what Django's holds runs with every
management command, and an image must build while every backing service is down.
"""

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import Any, overload

from django.core import checks
from django.core.checks.registry import registry as django_registry
from django.db import connections
from django.utils.module_loading import import_string

from dockerflow_django.casts import PROBES, Entry
from dockerflow_django.conf import conf
from dockerflow_django.health import CRITICAL_CHECK_NOT_IMPORTABLE

HEARTBEAT = "heartbeat"
TAGS = frozenset({HEARTBEAT, *PROBES})

CheckFunction = Callable[..., Any]


@dataclass(frozen=True)
class Check:
    """A check as it is configured: a function in Django's form, and how to call it.

    `timeout` and `every` are seconds, None for the settings'. A check with `once` is not asked
    again in this process after it has answered without a message.
    """

    function: CheckFunction
    keywords: Mapping[str, Any]
    timeout: float | None = None
    every: float | None = None
    once: bool = False
    tags: frozenset[str] = frozenset()
    source: str = ""

    @property
    def key(self) -> tuple[object, ...]:
        """What tells this check from another, so that two probes that list it share its runs."""
        keywords = tuple(sorted((name, repr(value)) for name, value in self.keywords.items()))
        return (id(self.function), keywords, self.timeout, self.every, self.once)

    @property
    def name(self) -> str:
        """The name of the function, or of the class of a callable object."""
        function = _innermost(self.function)
        return str(getattr(function, "__name__", type(function).__name__))

    @property
    def module(self) -> str:
        """The module that the function, or the class of the callable object, comes from."""
        return str(getattr(_innermost(self.function), "__module__", None) or "unknown")

    def call(self) -> Any:
        """Call the function as Django calls a check, and return whatever it returns."""
        keywords = {"databases": list(connections), **self.keywords}
        if not _takes(self.function, "databases"):
            del keywords["databases"]
        return self.function(app_configs=None, **keywords)


@overload
def register(check: CheckFunction, /, *tags: str) -> CheckFunction: ...


@overload
def register(
    *tags: str, timeout: float | None = ..., every: float | None = ...
) -> Callable[[CheckFunction], CheckFunction]: ...


def register(
    *arguments: Any, timeout: float | None = None, every: float | None = None
) -> CheckFunction | Callable[[CheckFunction], CheckFunction]:
    """Register a check for the heartbeat and for the probes that the tags name.

    Use it as Django's: ``@register``, ``@register("readiness")``, ``register(check, "readiness")``.
    Raises `ValueError` for a tag that is not one of ``heartbeat``, ``liveness``, ``readiness`` and
    ``startup``, and for a `timeout` or `every` (seconds) below zero.
    """
    function, tags = _split(arguments)
    for tag in tags:
        if tag not in TAGS:
            raise ValueError(f"{tag!r} is no tag of a check; take {', '.join(sorted(TAGS))}")
    if (timeout is not None and timeout <= 0) or (every is not None and every < 0):
        raise ValueError(f"timeout={timeout!r}, every={every!r}: seconds are not negative")

    def keep(function: CheckFunction) -> CheckFunction:
        check = Check(function, {}, timeout, every, tags=frozenset(tags), source="register()")
        _registered[check.key] = check
        return function

    return keep if function is None else keep(function)


def unregister(function: CheckFunction) -> None:
    """Take a check back that was registered here; one that was not is left alone."""
    for key in [key for key, check in _registered.items() if check.function is function]:
        del _registered[key]


def configured(probe: str = HEARTBEAT) -> list[Check]:
    """Return the checks of a probe, each once, in the order in which they are configured.

    ``"heartbeat"`` stands for ``/__heartbeat__``, which runs every configured check.
    """
    listed = conf.DOCKERFLOW_PROBES.get(probe)
    if listed is not None:
        found: Iterable[Check] = _from_settings(listed, f"DOCKERFLOW_PROBES[{probe!r}]")
    elif probe == HEARTBEAT:
        found = [*_from_settings(conf.DOCKERFLOW_CHECKS, "DOCKERFLOW_CHECKS"), *_tagged(TAGS)]
    else:
        found = [*_defaults(probe), *_tagged({probe})]
    once_each: dict[tuple[object, ...], Check] = {}
    for check in found:
        once_each.setdefault(check.key, check)
    return list(once_each.values())


def named(checks_: Iterable[Check]) -> list[tuple[str, Check]]:
    """Give each check a name that no other one has: the module's tells two of one name apart."""
    checks_ = list(checks_)
    names = [check.name for check in checks_]
    names = [
        f"{check.module}.{name}" if names.count(name) > 1 else name
        for check, name in zip(checks_, names, strict=True)
    ]
    counted = [names[: index + 1].count(name) for index, name in enumerate(names)]
    unique = (f"{name}#{n}" if n > 1 else name for name, n in zip(names, counted, strict=True))
    return list(zip(unique, checks_, strict=True))


def registered_in_django() -> list[CheckFunction]:
    """Return the checks under our tags in Django's registry, which runs them everywhere."""
    everything = django_registry.get_checks(include_deployment_checks=True)
    ours = [check for check in everything if TAGS & set(getattr(check, "tags", ()))]
    return sorted(ours, key=lambda check: (check.__module__, check.__qualname__))


_registered: dict[tuple[object, ...], Check] = {}
# Set by `dockerflow_django.testing`: what to call instead of the check of that path or name.
replacements: dict[str, CheckFunction] = {}


def _defaults(probe: str) -> Iterator[Check]:
    if probe == "readiness":
        path = "dockerflow_django.checks.check_migrations_applied"
        yield Check(_resolve(path), {}, once=True, source="default")


def _tagged(tags: Iterable[str]) -> Iterator[Check]:
    wanted = set(tags)
    for check in _registered.values():
        if wanted & (check.tags or {HEARTBEAT}):
            yield Check(
                _replaced(check.function), {}, check.timeout, check.every, source=check.source
            )
    for function in registered_in_django():
        if wanted & set(function.tags):  # type: ignore[attr-defined]
            yield Check(_replaced(function), {}, source="django.core.checks.register()")


def _from_settings(entries: Iterable[Entry], setting: str) -> Iterator[Check]:
    for index, (target, keywords) in enumerate(entries):
        rest = dict(keywords)
        timeout, every = rest.pop("timeout", None), rest.pop("every", None)
        function = _resolve(target) if isinstance(target, str) else _replaced(target)
        yield Check(function, rest, timeout, every, source=f"{setting}[{index}]")


def _resolve(path: str) -> CheckFunction:
    if path in replacements:
        return replacements[path]
    try:
        return _replaced(import_string(path))
    except Exception as error:  # noqa: BLE001 - importing a project's module may raise anything
        return _unimportable(path, type(error).__name__)


def _replaced(function: CheckFunction) -> CheckFunction:
    return replacements.get(getattr(function, "__name__", ""), function)


@cache
def _unimportable(path: str, error_name: str) -> CheckFunction:
    def check_not_importable(app_configs: object, **kwargs: object) -> list[checks.CheckMessage]:
        sentence = f"The check {path} cannot be imported ({error_name})."
        return [checks.Critical(sentence, id=CRITICAL_CHECK_NOT_IMPORTABLE)]

    check_not_importable.__name__ = path.rpartition(".")[2]
    check_not_importable.__module__ = path.rpartition(".")[0]
    return check_not_importable


def _split(arguments: tuple[Any, ...]) -> tuple[CheckFunction | None, tuple[str, ...]]:
    if arguments and not isinstance(arguments[0], str):
        return arguments[0], arguments[1:]
    return None, arguments


def _innermost(function: CheckFunction) -> CheckFunction:
    while isinstance(function, partial):
        function = function.func
    return function


def _takes(function: CheckFunction, keyword: str) -> bool:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        parameter.kind is parameter.VAR_KEYWORD or parameter.name == keyword
        for parameter in parameters
    )
