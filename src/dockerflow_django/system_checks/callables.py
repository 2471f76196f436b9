"""Rules about what the settings name by a dotted path, and how it would be called."""

import inspect
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from typing import Any

from django.core.checks import Error
from django.utils.module_loading import import_string

from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import from_settings, registered
from dockerflow_django.conf import conf
from dockerflow_django.conf.casts import DETAILS_WORDS
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.system_checks.leftovers import is_leftover
from dockerflow_django.system_checks.rule import Finding, rule

_CALLBACKS = (
    "DOCKERFLOW_VERSION_CALLBACK",
    "DOCKERFLOW_HEARTBEAT_DETAILS",
    "DOCKERFLOW_SUMMARY_EXTRA",
)
_MISSING = object()


@rule("dockerflow.E002", Error)
def check_checks_are_found() -> Iterator[Finding]:
    """Find checks whose path leads to nothing that can be called."""
    for check in _listed():
        target = check.target
        if isinstance(target, str) and (why := _why_unusable(target)):
            yield Finding(
                f"{check.source}: {why}.",
                f"Correct the path {target!r}, or install what it needs: a check of "
                "dockerflow_django's may need the extra of its service.",
            )


@rule("dockerflow.E003", Error)
def check_checks_take_their_keywords() -> Iterator[Finding]:
    """Find checks that raise as soon as they are called with the keywords configured for them."""
    for check in [*_found(), *registered()]:
        if why := _why_misfit(check):
            yield Finding(
                f"{check.source}: {check.name} cannot be called as configured: {why}.",
                "A check takes app_configs and **kwargs, and beside them the keywords that its "
                "entry gives.",
            )


@rule("dockerflow.E004", Error)
def check_callbacks_are_found() -> Iterator[Finding]:
    """Find callbacks whose path leads to nothing that can be called."""
    for name in _CALLBACKS:
        target = getattr(conf, name)
        if (
            isinstance(target, str)
            and target not in DETAILS_WORDS
            and (why := _why_unusable(target))
        ):
            yield Finding(f"{name}: {why}.", f"Correct the path {target!r}.")


def _listed() -> Iterator[Check]:
    yield from from_settings(conf.DOCKERFLOW_CHECKS, "DOCKERFLOW_CHECKS")
    for probe, entries in conf.DOCKERFLOW_PROBES.items():
        yield from from_settings(entries, f"DOCKERFLOW_PROBES[{probe!r}]")


def _found() -> Iterator[Check]:
    """Yield the checks of the settings that another rule has not found fault with."""
    for check in _listed():
        target = check.target
        if not (isinstance(target, str) and (is_leftover(target) or _why_unusable(target))):
            function = import_string(target) if isinstance(target, str) else target
            yield replace(check, target=function)


def _why_unusable(path: str) -> str:
    """Return why the dotted path leads to no callable, an empty string if it does."""
    if is_leftover(path):
        return ""  # another rule's
    module, _, name = path.rpartition(".")
    try:
        target = getattr(import_module(module), name, _MISSING)
    except ModuleNotFoundError as error:
        return f"no module named {error.name!r}"
    except Exception as error:  # noqa: BLE001 - importing a project's module may raise anything
        return f"importing {module!r} raised {type(error).__name__}: {_first_line(error)}"
    if target is _MISSING:
        return f"module {module!r} has no attribute {name!r}"
    return "" if callable(target) else f"{path!r} is of type {type(target).__name__}, not callable"


def _why_misfit(check: Check) -> str:
    """Return why the check does not take its keywords, an empty string if it does."""
    function: Any = check.target  # a path of the settings has been imported
    try:
        signature = inspect.signature(function)
        signature.bind(**{"app_configs": None, **check.keywords})
    except TypeError as error:
        return str(error)
    except Exception:  # noqa: BLE001 - written in C, without a signature; or it raises when compared
        return ""
    # A project's check may look into its **kwargs; those that ship name what they take.
    unknown = [name for name in check.keywords if name not in {*signature.parameters, "databases"}]
    ships = check.module == "dockerflow_django.checks"
    return f"got an unexpected keyword argument {unknown[0]!r}" if ships and unknown else ""


def _first_line(error: Exception) -> str:
    return scrub(next(iter(str(error).splitlines()), ""))
