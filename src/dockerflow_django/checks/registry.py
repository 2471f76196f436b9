"""Which checks there are: those of the settings, those registered here, those registered in Django.

The registry is our own, with the call shape of Django's: what Django's holds runs with every
management command, and an image must build while every backing service is down.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, overload

from django.core.checks.registry import registry as django_registry
from django.db import connections

from dockerflow_django.checks.functions import (
    CheckFunction,
    module_of,
    name_of,
    replaced,
    resolve,
    takes,
)
from dockerflow_django.conf import conf
from dockerflow_django.conf.casts import Entry, check_options
from dockerflow_django.health import HEARTBEAT, PROBES

TAGS = frozenset({HEARTBEAT, *PROBES})


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
        return name_of(self.function)

    @property
    def module(self) -> str:
        """The module that the function, or the class of the callable object, comes from."""
        return module_of(self.function)

    def call(self) -> Any:
        """Call the function as Django calls a check; what it returns or raises is its answer."""
        keywords: dict[str, Any] = {"app_configs": None}
        if takes(self.function, "databases"):
            keywords["databases"] = list(connections)
        return self.function(**{**keywords, **self.keywords})


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
    ``startup``, and for a `timeout` or `every` that is no number of seconds; `TypeError` for what
    cannot be called.
    """
    function, tags = _split(arguments)
    for tag in tags:
        if tag not in TAGS:
            raise ValueError(f"{tag!r} is no tag of a check; take {', '.join(sorted(TAGS))}")
    options = check_options({"timeout": timeout, "every": every})

    def keep(function: CheckFunction) -> CheckFunction:
        if not callable(function):
            raise TypeError(f"{function!r} cannot be called, so it is no check")
        unregister(function)
        check = Check(function, {}, **options, tags=frozenset(tags), source="register()")
        _registered[check.key] = check
        return function

    return keep if function is None else keep(function)


def unregister(function: CheckFunction) -> None:
    """Take a check back that was registered here; one that was not is left alone."""
    for key in [key for key, check in _registered.items() if check.function == function]:
        del _registered[key]


def configured(probe: str = HEARTBEAT) -> list[Check]:
    """Return the checks of a probe, each once, in the order in which they are configured.

    ``"heartbeat"`` stands for ``/__heartbeat__``, which runs every configured check.
    """
    listed = conf.DOCKERFLOW_PROBES.get(probe)
    if listed is not None:
        found: Iterable[Check] = from_settings(listed, f"DOCKERFLOW_PROBES[{probe!r}]")
    elif probe == HEARTBEAT:
        found = [*from_settings(conf.DOCKERFLOW_CHECKS, "DOCKERFLOW_CHECKS"), *_tagged(TAGS)]
    else:
        found = [*_defaults(probe), *_tagged({probe})]
    once_each: dict[tuple[object, ...], Check] = {}
    for check in found:
        once_each.setdefault(check.key, check)
    return list(once_each.values())


def registered() -> list[Check]:
    """Return the checks that code registered, here or under our tags in Django's registry."""
    return list(_tagged(TAGS))


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
    ours = [Check(check, {}) for check in everything if TAGS & set(getattr(check, "tags", ()))]
    # Django keeps a set: sorted, every process has them in one order.
    return [check.function for check in sorted(ours, key=lambda check: (check.module, check.name))]


_registered: dict[tuple[object, ...], Check] = {}


def _defaults(probe: str) -> Iterator[Check]:
    if probe == "readiness":
        path = "dockerflow_django.checks.check_migrations_applied"
        yield Check(resolve(path), {}, once=True, source="default")


def _tagged(tags: Iterable[str]) -> Iterator[Check]:
    wanted = set(tags)
    for check in list(_registered.values()):
        if wanted & (check.tags or {HEARTBEAT}):
            yield Check(
                replaced(check.function), {}, check.timeout, check.every, source=check.source
            )
    for function in registered_in_django():
        if wanted & set(function.tags):  # type: ignore[attr-defined]
            yield Check(replaced(function), {}, source="django.core.checks.register()")


def from_settings(entries: Iterable[Entry], setting: str) -> Iterator[Check]:
    """Yield the checks that a setting lists; `setting` says which, for their messages."""
    for index, (target, keywords) in enumerate(entries):
        rest = dict(keywords)
        timeout, every = rest.pop("timeout", None), rest.pop("every", None)
        function = resolve(target) if isinstance(target, str) else replaced(target)
        yield Check(function, rest, timeout, every, source=f"{setting}[{index}]")


def _split(arguments: tuple[Any, ...]) -> tuple[CheckFunction | None, tuple[str, ...]]:
    if arguments and not isinstance(arguments[0], str):
        return arguments[0], arguments[1:]
    return None, arguments
