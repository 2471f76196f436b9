"""Which checks there are: those of the settings, those registered here, those registered in Django.

The registry is our own, with the call shape of Django's: what Django's holds runs with every
management command, and an image must build while every backing service is down.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from typing import Any, overload

from django.core import checks
from django.core.checks import CheckMessage
from django.core.checks.registry import registry as django_registry

from dockerflow_django._state import keeps
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.functions import CheckFunction, sort_key
from dockerflow_django.conf import conf
from dockerflow_django.conf.casts import OPTIONS, Entry, check_options, entries_of
from dockerflow_django.health import ERROR_UNREADABLE_SETTING, HEARTBEAT, PROBES

__all__ = [
    "TAGS",
    "configuration",
    "from_settings",
    "named",
    "register",
    "registered",
    "registered_in_django",
    "unregister",
]

TAGS = frozenset({HEARTBEAT, *PROBES})


@overload
def register(check: CheckFunction, /, *tags: str) -> CheckFunction: ...


@overload
def register(
    *tags: str,
    timeout: float | None = ...,
    every: float | None = ...,
    fail_level: int | str | None = ...,
) -> Callable[[CheckFunction], CheckFunction]: ...


def register(
    *arguments: Any, **options: Any
) -> CheckFunction | Callable[[CheckFunction], CheckFunction]:
    """Register a check for the heartbeat and for the probes that the tags name.

    It is called as Django's own function of that name: ``@register``, ``@register("readiness")`` or
    ``register(check, "readiness")``. A check that is registered twice has the tags and options of
    the last time.

    :param check: a function ``check(app_configs, **kwargs)`` that returns a list of Django's check
        messages; it may be ``async``.
    :param tags: ``"heartbeat"``, ``"liveness"``, ``"readiness"`` or ``"startup"``; any number. The
        check runs in ``/__heartbeat__`` whatever its tags.
    :param timeout: seconds, above 0, that the check may take; ``DOCKERFLOW_CHECK_TIMEOUT`` if not
        given. With more than that setting, the check runs in the background, from the first time
        that it is asked.
    :param every: seconds, 0 or more, for which a result is used again;
        ``DOCKERFLOW_HEARTBEAT_MAX_AGE`` if not given. In the background it is how often the check
        runs, by default its timeout.
    :param fail_level: the level from which the check fails: a name such as ``"WARNING"``, or a
        number as in Django's checks. If not given, it is that of the heartbeat or the probe.
    :raises ValueError: for another tag, and for an option with a wrong value.
    :raises TypeError: for another keyword, and for what cannot be called.
    """
    function, tags = _split(arguments)
    for tag in tags:
        if tag not in TAGS:
            raise ValueError(f"{tag!r} is no tag of a check; take {', '.join(sorted(TAGS))}")
    if unknown := set(options) - set(OPTIONS):
        raise TypeError(f"register() got an unexpected keyword argument {min(unknown)!r}")
    options = check_options(options)

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
    for key in [key for key, check in _registered.items() if check.target == function]:
        del _registered[key]


def configuration() -> dict[str, list[tuple[str, Check]]]:
    """Return the checks of the heartbeat and of every probe, each once and under its name.

    ``"heartbeat"`` stands for ``/__heartbeat__``, which runs every configured check. They are in
    the order in which they are configured. A check has one name in all of them, the one that
    ``/__heartbeat__`` gives it if it runs there, and no other check has it. A setting that cannot
    be read is a check that fails and says so.
    """
    by_code = registered()
    found = {probe: _configured(probe, by_code) for probe in (HEARTBEAT, *PROBES)}
    taken: dict[str, Check] = {}
    names: dict[Hashable, str] = {}
    for probe, checks_ in found.items():
        for name, check in named(check for check in checks_ if check.key not in names):
            free = _free_name(name, check, probe, taken)
            taken[free], names[check.key] = check, free
    return {
        probe: [(names[check.key], check) for check in checks_] for probe, checks_ in found.items()
    }


def registered() -> list[Check]:
    """Return the checks that code registered, here or under our tags in Django's registry."""
    return [
        *_registered.values(),
        *(
            Check(function, tags=TAGS & set(function.tags), source="django.core.checks.register()")  # type: ignore[attr-defined]
            for function in registered_in_django()
        ),
    ]


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
    # Django keeps a set: sorted, every process has them in one order.
    return sorted(ours, key=sort_key)


def from_settings(entries: Iterable[Entry], setting: str) -> Iterator[Check]:
    """Yield the checks that a setting lists; `setting` says which, for their messages."""
    for index, (target, given) in enumerate(entries):
        options = {name: given[name] for name in OPTIONS if name in given}
        keywords = {name: value for name, value in given.items() if name not in OPTIONS}
        yield Check(target, keywords, **options, source=f"{setting}[{index}]")


def _free_name(name: str, check: Check, probe: str, taken: Mapping[str, Check]) -> str:
    """Tell a probe's own check from its namesake: by the module, else by the probe."""
    if name not in taken:
        return name
    with_module = f"{check.module}.{check.name}"
    is_other_module = check.module != taken[name].module
    return with_module if is_other_module and with_module not in taken else f"{name} ({probe})"


_registered: dict[Hashable, Check] = {}


def _configured(probe: str, by_code: Iterable[Check]) -> list[Check]:
    if probe == HEARTBEAT:
        return _each_once([*_checks_of_heartbeat(), *by_code])
    listed = _listed_for(probe)
    if listed is None:
        listed = [*_defaults(probe), *(check for check in by_code if probe in check.tags)]
    return _each_once(listed)


def _each_once(checks_: Iterable[Check]) -> list[Check]:
    found: dict[Hashable, Check] = {}
    for check in checks_:
        found.setdefault(check.key, check)
    return list(found.values())


def _checks_of_heartbeat() -> Iterable[Check]:
    if wanted := conf.problem("DOCKERFLOW_CHECKS"):
        return [_unreadable("DOCKERFLOW_CHECKS", wanted, source="DOCKERFLOW_CHECKS")]
    return from_settings(conf.DOCKERFLOW_CHECKS, "DOCKERFLOW_CHECKS")


def _listed_for(probe: str) -> Iterable[Check] | None:
    """Return what ``DOCKERFLOW_PROBES`` lists for the probe, None if it does not name it.

    If it cannot be read as a whole, a list under the right name still counts; any other probe may
    be the one that was meant.
    """
    source = f"DOCKERFLOW_PROBES[{probe!r}]"
    wanted = conf.problem("DOCKERFLOW_PROBES")
    if not wanted:
        listed = conf.DOCKERFLOW_PROBES.get(probe)
        return None if listed is None else from_settings(listed, source)
    raw = conf.raw("DOCKERFLOW_PROBES")
    try:
        if isinstance(raw, Mapping) and probe in raw:
            return from_settings(entries_of(probe, raw), source)
    except ValueError as error:
        wanted = str(error)
    except Exception:  # noqa: BLE001, S110 - a project's mapping may raise anything
        pass
    return [_unreadable("DOCKERFLOW_PROBES", wanted, source=source)]


class _UnsilencedError(checks.Error):
    """An error that ``SILENCED_SYSTEM_CHECKS`` does not turn into a pass."""

    def is_silenced(self) -> bool:
        return False


def _unreadable(setting: str, wanted: str, *, source: str) -> Check:
    """Return the check that stands for those of a setting; it fails at every level."""
    return Check(_unreadable_function(setting, wanted), fail_level=checks.ERROR, source=source)


@cache
def _unreadable_function(setting: str, wanted: str) -> CheckFunction:
    def check(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
        sentence = f"{setting} cannot be read, so its checks do not run: it must be {wanted}."
        return [_UnsilencedError(sentence, id=ERROR_UNREADABLE_SETTING)]

    check.__name__ = check.__qualname__ = setting
    return check


keeps("_unreadable_function", after_fork=False)(_unreadable_function.cache_clear)


def _defaults(probe: str) -> Iterator[Check]:
    if probe == "readiness":
        path = "dockerflow_django.checks.check_migrations_applied"
        yield Check(path, once=True, source="default")


def _split(arguments: tuple[Any, ...]) -> tuple[CheckFunction | None, tuple[str, ...]]:
    if arguments and not isinstance(arguments[0], str):
        return arguments[0], arguments[1:]
    return None, arguments
