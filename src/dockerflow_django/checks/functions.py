"""The function behind a check: where a path leads, what it is called, what it takes."""

import inspect
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import cache, partial
from typing import Any

from django.core import checks
from django.utils.module_loading import import_string

from dockerflow_django.health import CRITICAL_CHECK_NOT_IMPORTABLE

CheckFunction = Callable[..., Any]

# Set by `dockerflow_django.testing`: what to call instead of the check of that path or name.
replacements: dict[str, CheckFunction] = {}
_deferred: set[str] = set()


def name_of(function: CheckFunction) -> str:
    """Return the name of the function, or of the class of a callable object."""
    function = _innermost(function)
    return str(getattr(function, "__name__", type(function).__name__))


def module_of(function: CheckFunction) -> str:
    """Return the module that the function, or the class of the callable object, comes from."""
    return str(getattr(_innermost(function), "__module__", None) or "unknown")


def resolve(path: str) -> CheckFunction:
    """Return the function of that path, one that imports it when it is called, or its stand-in."""
    if path in replacements:
        return replacements[path]
    function = None if path in _deferred else _loaded(path)
    if function is None:
        # From now on: another function would be another check, with a run of its own.
        _deferred.add(path)
        function = _on_call(path)
    return replaced(function)


def _loaded(path: str) -> CheckFunction | None:
    """Return what the path names, None where its module has not been imported to its end.

    Importing a project's module may take long or raise anything, and an event loop may be waiting.
    """
    module_path, _, name = path.rpartition(".")
    module = sys.modules.get(module_path)
    if getattr(getattr(module, "__spec__", None), "_initializing", False):
        return None
    with suppress(Exception):
        function: CheckFunction = getattr(module, name)
        return function
    return None


@cache
def _on_call(path: str) -> CheckFunction:
    """Make a check that imports the one that it stands for where checks run, within its time."""

    def check(app_configs: object, **keywords: object) -> Any:
        try:
            function = replaced(import_string(path))
        except Exception as error:  # noqa: BLE001 - importing a project's module may raise anything
            sentence = f"The check {path} cannot be imported ({type(error).__name__})."
            return [checks.Critical(sentence, id=CRITICAL_CHECK_NOT_IMPORTABLE)]
        if not takes(function, "databases"):
            keywords.pop("databases", None)
        return function(app_configs=app_configs, **keywords)

    check.__module__, _, check.__name__ = path.rpartition(".")
    return check


def replaced(function: CheckFunction) -> CheckFunction:
    """Return what a test has put in the function's place, or the function."""
    name = name_of(function)
    for known, replacement in replacements.items():
        if known == name or _loaded(known) is function:
            return replacement
    return function


def _innermost(function: CheckFunction) -> CheckFunction:
    while isinstance(function, partial):
        function = function.func
    return function


def takes(function: CheckFunction, keyword: str) -> bool:
    """Tell whether the function may be called with the keyword."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return False
    return any(
        parameter.kind is parameter.VAR_KEYWORD or parameter.name == keyword
        for parameter in parameters
    )
