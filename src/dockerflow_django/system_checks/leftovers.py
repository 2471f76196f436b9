"""The rule about what a move from python-dockerflow left behind."""

import re
from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import Error

from dockerflow_django.system_checks.rule import Finding, rule

_SETTINGS = (
    "MIDDLEWARE",
    "LOGGING",
    "DOCKERFLOW_CHECKS",
    "DOCKERFLOW_PROBES",
    "DOCKERFLOW_VERSION_CALLBACK",
)
# A project may be called dockerflow too: these are the modules of python-dockerflow.
_LEFTOVER = re.compile(r"dockerflow\.(django\.|(?=(checks|health|logging|version)\.))")


def is_leftover(path: str) -> bool:
    """Tell whether a dotted path leads into python-dockerflow."""
    return _LEFTOVER.match(path) is not None


@rule("dockerflow.E007", Error)
def check_nothing_is_left_of_python_dockerflow() -> Iterator[Finding]:
    """Find settings that still name python-dockerflow's modules."""
    for name in _SETTINGS:
        for place, path in _paths(name, getattr(settings, name, None)):
            if is_leftover(path):
                new = _LEFTOVER.sub("dockerflow_django.", path, count=1)
                yield Finding(f"{place} is python-dockerflow's {path!r}.", f"Write {new!r}.")


def _paths(place: str, value: Any) -> Iterator[tuple[str, str]]:
    """Yield what may be a dotted path within the value, and where it stands; keys are names."""
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _paths(f"{place}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _paths(f"{place}[{index}]", item)
    elif callable(value):
        yield place, f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
