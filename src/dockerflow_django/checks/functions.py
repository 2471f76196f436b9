"""What stands behind a check: a path or a callable, its name, and what tells it from another.

Nothing here imports a project's module: which checks there are, and what they are called, does not
depend on what was imported before.
"""

import inspect
import sys
from collections.abc import Callable, Hashable, Mapping
from functools import partial
from types import MethodType
from typing import Any

CheckFunction = Callable[..., Any]
Target = CheckFunction | str

OURS = "dockerflow_django.checks"

# Set by `dockerflow_django.testing`: what to call instead of the check of that identity.
replacements: dict[Hashable, CheckFunction] = {}


def name_of(target: Target) -> str:
    """Return the name at the end of the path, of the function, or of a callable object's class."""
    if isinstance(target, str):
        return target.rpartition(".")[2]
    function = _innermost(target)
    return str(getattr(function, "__name__", type(function).__name__))


def module_of(target: Target) -> str:
    """Return the module in the path, or that of the function or of a callable object's class."""
    if isinstance(target, str):
        module = target.rpartition(".")[0]
    else:
        module = str(getattr(_innermost(target), "__module__", None) or "unknown")
    return OURS if module.startswith(f"{OURS}.") else module


def identity_of(target: Target) -> Hashable:
    """Return what is equal for two targets that are one check, however they are written.

    A function is its path; a partial is its function and arguments; any other object is itself.
    """
    if isinstance(target, str):
        return f"{module_of(target)}.{name_of(target)}"
    if isinstance(target, partial):
        arguments = fingerprint({str(i): each for i, each in enumerate(target.args)})
        return ("partial", identity_of(target.func), arguments, fingerprint(target.keywords))
    if isinstance(target, MethodType):
        return ("method", id(target.__self__), identity_of(target.__func__))
    return _path_of(target) or ("object", id(target))


def fingerprint(keywords: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """Return what is equal for equal keywords, whatever their order and types."""
    return tuple(sorted((name, _repr(value)) for name, value in keywords.items()))


def sort_key(function: CheckFunction) -> tuple[str, ...]:
    """Return a key that sorts functions in the same order in every process."""
    given = fingerprint(getattr(function, "keywords", None) or getattr(function, "__dict__", {}))
    arguments = "".join(map(_repr, getattr(function, "args", ())))
    # An object without a repr of its own is shown with its address.
    texts = (text.partition(" at 0x")[0] for text in (arguments, *map(str, given)))
    return (module_of(function), name_of(function), *texts)


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


def _innermost(function: CheckFunction) -> CheckFunction:
    while isinstance(function, partial):
        function = function.func
    return function


def _path_of(function: CheckFunction) -> str | None:
    """Return the path at which the function is found; two may share a name, as wrappers do."""
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", "")
    found: Any = sys.modules.get(str(module))
    for attribute in name.split("."):
        found = getattr(found, attribute, None)
    return f"{module_of(function)}.{name}" if found is function else None


def _repr(value: object) -> str:
    try:
        return repr(value)
    except Exception:  # noqa: BLE001 - a project's object may raise anything
        return f"{type(value).__name__} {id(value)}"
