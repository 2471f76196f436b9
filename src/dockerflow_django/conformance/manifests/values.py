"""Reach into documents whose shape nobody has promised, and read what people write there."""

from __future__ import annotations

import re
from typing import Any

_PART = re.compile(r"(\d+(?:\.\d+)?)(us|ms|s|m|h)")
_SECONDS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_INTERPOLATION = re.compile(
    r"\$(?:(?P<escaped>\$)|\{?(?P<name>[A-Za-z_]\w*)(?:(?P<how>:?-)(?P<default>[^}]*))?\}?)"
)


def mapping(value: Any, *path: str) -> dict[Any, Any]:
    """Return the mapping at this path, an empty one if there is none."""
    found = dig(value, *path)
    return found if isinstance(found, dict) else {}


def sequence(value: Any, *path: str) -> list[Any]:
    """Return the list at this path, an empty one if there is none."""
    found = dig(value, *path)
    return found if isinstance(found, list) else []


def dig(value: Any, *path: str) -> Any:
    """Return the value at this path, None if there is none."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def seconds(value: Any) -> float | None:
    """Return a number of seconds: a number, its text, or a duration such as ``1m30s``."""
    if isinstance(value, bool) or value is None:
        return None
    text = str(value).strip()
    try:
        number = float(text)
    except ValueError:
        parts = _PART.findall(text)
        is_whole = "".join(map("".join, parts)) == text
        return sum(float(n) * _SECONDS[unit] for n, unit in parts) if parts and is_whole else None
    return number if 0 <= number < float("inf") else None


def interpolate(text: str) -> str | None:
    """Return Compose's text with the defaults of its variables; None if one has no default."""
    unknown = False

    def value(found: re.Match[str]) -> str:
        nonlocal unknown
        if found["escaped"]:
            return "$"
        unknown |= found["default"] is None
        return found["default"] or ""

    replaced = _INTERPOLATION.sub(value, text)
    return None if unknown else replaced
