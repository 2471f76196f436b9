"""Put ARG and ENV in: what has no value here stays as it is written."""

from __future__ import annotations

import re
from collections.abc import Mapping

_VARIABLE = re.compile(
    r"""(?P<escaped>\\\$)
    |\$(?:(?P<bare>\w+)|\{(?P<name>\w+)(?:(?P<how>:?[-+])(?P<other>[^}]*))?\})""",
    re.VERBOSE,
)
_ASSIGNMENT = re.compile(r"""(\w[\w.-]*)=((?:[^\s"'\\]|\\.|"(?:\\.|[^"\\])*"|'[^']*')*)""")
_QUOTED = re.compile(r"""\\(.)|"((?:\\.|[^"\\])*)"|'([^']*)'""")


def expand(text: str, values: Mapping[str, str | None]) -> str:
    """Return the text with the values of its variables; ``$NAME`` stays if nobody knows it."""

    def value(found: re.Match[str]) -> str:
        if found["escaped"]:
            return found[0]
        known = values.get(found["bare"] or found["name"])
        return _choose(found, known)

    return _VARIABLE.sub(value, text)


def _choose(found: re.Match[str], known: str | None) -> str:
    how, other = found["how"], found["other"]
    if how in {":-", "-"}:
        return other if known is None or (how == ":-" and not known) else known
    if how in {":+", "+"}:
        return "" if known is None or (how == ":+" and not known) else other
    return found[0] if known is None else known


def is_known(text: str) -> bool:
    """Tell whether every variable of the text has been replaced."""
    return "$" not in text


def assignments(text: str) -> dict[str, str]:
    """Return the pairs of ENV and ARG: ``NAME=value …`` with quotes, or the old ``NAME value``."""
    found = _ASSIGNMENT.findall(text)
    if not found or not _ASSIGNMENT.match(text):
        name, _, value = text.partition(" ")
        return {name: value.strip()} if value else {}
    return {name: _unquoted(value) for name, value in found}


def _unquoted(value: str) -> str:
    return _QUOTED.sub(lambda part: part[1] or part[2] or part[3] or "", value)
