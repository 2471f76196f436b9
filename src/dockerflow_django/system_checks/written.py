"""What stands in the project's settings: every text, and what the setting is called there."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

_DEEPEST = 20


def texts(*, keys: bool = False) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of all that the project has set, with `keys` those of dicts too.

    A class or a function counts as its dotted path.
    """
    for name in sorted(set(filter(str.isupper, dir(settings)))):
        if settings.is_overridden(name):  # type: ignore[misc]
            yield from _within(name, getattr(settings, name), keys, _DEEPEST)


def _within(place: str, value: Any, keys: bool, deeper: int) -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield place, value
    elif isinstance(value, (dict, list, tuple, set, frozenset)):
        for inner, item in _items(place, value) if deeper else ():
            yield from _within(inner, item, keys, deeper - 1)
        if keys and isinstance(value, dict):
            yield from ((f"{place}[{key!r}]", key) for key in value if isinstance(key, str))
    elif callable(value):
        yield place, f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"


def _items(place: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, (set, frozenset)):
        return ((place, item) for item in value)
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return ((f"{place}[{key!r}]", item) for key, item in pairs)
