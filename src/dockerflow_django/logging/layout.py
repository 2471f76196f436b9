"""Encode records of one kind by a text that is ready but for the values.

Summaries have the same fields in nearly every record. Their names are encoded once, and a value at
a time is all that is left to do: for the standard library's encoder that is a quarter less work.
"""

from collections.abc import Callable
from json.encoder import encode_basestring_ascii
from math import isfinite
from operator import itemgetter
from typing import Any, NamedTuple, NoReturn

MAX_LAYOUTS = 100

_Encoders = dict[type, Callable[[Any], str]]
_ENCODERS: _Encoders = {
    str: encode_basestring_ascii,
    int: int.__repr__,
    bool: lambda value: "true" if value else "false",
    float: lambda value: repr(value) if isfinite(value) else _refuse(value),
}


def _refuse(value: float) -> NoReturn:
    raise ValueError(value)


class _Layout(NamedTuple):
    values_of: Callable[[dict[str, Any]], tuple[Any, ...]]
    text: str


class Layouts:
    """The layouts of the records that one formatter has seen, by the names of their attributes.

    A record has one if no attribute was added to it since it was made: `last` is still the last.
    """

    def __init__(self, standard: tuple[str, ...], last: str) -> None:
        self._standard = frozenset(standard)
        self._last = last
        self._layouts: dict[tuple[str, ...], _Layout | None] = {}

    def encode(self, attributes: dict[str, Any]) -> str | None:
        """Return a record's extras as JSON, or None if another encoder has to do that."""
        names = tuple(attributes)
        try:
            layout = self._layouts[names]
        except KeyError:
            layout = self._new_layout(names)
        if layout is None:
            return None
        encoders = _ENCODERS
        values = layout.values_of(attributes)
        try:
            text = layout.text % tuple([encoders[type(value)](value) for value in values])
        except (KeyError, ValueError):  # no plain value, or an integer of too many digits
            return None
        # Half of a character that Python writes in two may be without the other.
        return None if "\\ud" in text else text

    def _new_layout(self, names: tuple[str, ...]) -> _Layout | None:
        if len(self._layouts) >= MAX_LAYOUTS:
            self._layouts.clear()
        extras = [name for name in names if name not in self._standard]
        layout = None
        # Of a single name `itemgetter` returns no tuple; another Python's record lacks a name.
        if len(extras) > 1 and extras[-1] == self._last and self._standard.issubset(names):
            keys = [encode_basestring_ascii(name).replace("%", "%%") for name in extras]
            layout = _Layout(itemgetter(*extras), f"{{{','.join(f'{key}:%s' for key in keys)}}}")
        self._layouts[names] = layout
        return layout
