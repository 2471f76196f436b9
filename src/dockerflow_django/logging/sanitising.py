"""Turn any value into one that a mozlog field may hold, within limits, and say what was replaced.

The mozlog schema allows text, numbers, booleans and lists of one of these. Anything nested becomes
JSON text, as in Mozilla's Node implementation. Secrets are taken out. Nothing here raises.
"""

import datetime
import decimal
import json
import math
import pathlib
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from itertools import islice
from types import NoneType
from typing import Any, TypeAlias

from dockerflow_django.logging.description import describe
from dockerflow_django.logging.ordinary import is_complaint, is_field_name, is_nothing
from dockerflow_django.logging.scrubbing import REDACTED, may_hold_secrets, scrub
from dockerflow_django.logging.secret_names import holds_secret
from dockerflow_django.logging.text import UNPRINTABLE, safe_repr, well_formed

FieldValue: TypeAlias = str | int | float | bool | list[Any]

# Docker splits a line at 16 KiB and collectors join the parts again, up to 256 KiB by default.
MAX_TEXT = 32_768
MAX_LINE = 262_144
MAX_NAME = 256
MAX_FIELDS = 1_000
MAX_ITEMS = 1_000
MAX_NODES = 10_000
MAX_DEPTH = 16
MAX_NOTES = 20
MAX_SCRUBBED = 131_072

CIRCULAR = "[circular]"
TOO_DEEP = "[too deep]"


class Sanitiser:
    """Make the values of one record fit, and collect in `notes` what had to be replaced."""

    def __init__(self, notes: list[str] | None = None) -> None:
        self.notes: list[str] = [] if notes is None else notes
        self._characters_left = MAX_LINE
        self._nodes_left = MAX_NODES
        self._name = ""

    def fields(self, raw: Mapping[Any, Any]) -> dict[str, FieldValue]:
        """Return every field with a name and a value that the schema allows; no value, no field."""
        fields: dict[str, FieldValue] = {}
        for key, value in islice(raw.items(), MAX_FIELDS):
            self._name = name = _unused(_key(key), fields)
            shown = self._guarded(REDACTED if is_secret(name, value) else value)
            if shown is not None:
                fields[name] = shown
        if len(raw) > MAX_FIELDS:
            self.notes.append(f"{len(raw) - MAX_FIELDS} more fields")
        return fields

    def _guarded(self, value: Any) -> FieldValue | None:
        try:
            return self._field(value)
        except BaseException as error:  # noqa: BLE001 - a value must not cost the record
            return self._replace(f"[{type(error).__name__}]")

    def _field(self, value: Any) -> FieldValue | None:
        shown: FieldValue | dict[str, Any] | None = self._reduce(value, ())
        if isinstance(shown, dict) or (isinstance(shown, list) and not _is_homogeneous(shown)):
            text = json.dumps(shown, ensure_ascii=False)
            return self._cut(text, text, len(text))
        return shown

    def _reduce(self, value: Any, ancestors: tuple[int, ...]) -> Any:
        kind: Any = type(value)
        return _way(kind)(self, value, ancestors)

    def container(self, value: Any, ancestors: tuple[int, ...]) -> Any:
        """Return a mapping as a dict, any other container as a list, and neither without end."""
        if id(value) in ancestors:
            return self._replace(CIRCULAR)
        if len(ancestors) >= MAX_DEPTH:
            return self._replace(TOO_DEEP)
        inside = (*ancestors, id(value))
        if not isinstance(value, Mapping):
            return self._items(value, inside)
        shown: dict[str, Any] = {}
        for key, item in self._some(value.items(), len(value)):
            name = _key(key)
            is_hidden = is_secret(name, item) or is_secret(_name_beside(name, value), item)
            kept = REDACTED if is_hidden else self._reduce(item, inside)
            shown[_unused(name, shown)] = kept
        return shown

    def _items(self, value: Any, inside: tuple[int, ...]) -> list[Any]:
        """Return the items; one that follows a secret's name, as in a command line, is hidden."""
        shown: list[Any] = []
        name = ""
        own_names = _names_of_items(value)
        for index, item in enumerate(self._some(value, len(value))):
            own = own_names[index] if index < len(own_names) else ""
            is_hidden = is_secret(own, item) or (is_secret(name, item) and not _is_name(item))
            shown.append(REDACTED if is_hidden else self._reduce(item, inside))
            name = _name_in(item)
        return shown

    def _some(self, items: Iterable[Any], size: int) -> Iterable[Any]:
        most = min(size, MAX_ITEMS, self._nodes_left)
        self._nodes_left -= most
        yield from islice(items, most)
        if most < size:
            self._note(f"{size - most} items cut")

    def _text(self, text: str) -> str:
        if len(text) <= MAX_SCRUBBED or not may_hold_secrets(text):
            text = scrub(text)
            return self._cut(text, text, len(text))
        # More than is shown: what is cut off in the midst of a secret is not.
        half = MAX_SCRUBBED // 2
        return self._cut(scrub(text[:half]), scrub(_after_two_lines(text[-half:])), len(text))

    def _cut(self, head: str, tail: str, length: int) -> str:
        """Return a text that begins and ends so, within the limit."""
        limit = min(MAX_TEXT, self._characters_left)
        missing = length - limit
        text = head
        if missing > 0:
            # The end of a traceback tells more than its middle.
            marker = self._replace(f"[{missing} characters cut]")
            end = tail[max(0, len(tail) - limit // 4) :]
            text = head[: limit - len(end)] + marker + end
        self._characters_left = max(0, self._characters_left - len(text))
        shown = well_formed(text)
        if shown is not text:
            self._note("undecodable")
        return shown

    def _int(self, number: int) -> int | str:
        try:
            str(number)
        except ValueError:  # more digits than sys.get_int_max_str_digits()
            return self._replace(f"[integer of {number.bit_length()} bits]")
        return number

    def _float(self, number: float) -> float | str:
        return number if math.isfinite(number) else self._replace(str(number))

    def _repr(self, value: Any) -> str:
        text = safe_repr(value)
        if text.startswith(UNPRINTABLE):
            self._note("unprintable")
        return self._text(text)

    def _replace(self, marker: str) -> str:
        self._note(marker)
        return marker

    def _note(self, what: str) -> None:
        note = f"{self._name}: {what}"
        if len(self.notes) < MAX_NOTES and note not in self.notes:
            self.notes.append(note)


def _after_two_lines(text: str) -> str:
    """Return the end of a text from where no secret goes on whose name was cut off.

    The first line may begin in its midst, and the second may be the value to a name in the first.
    """
    return "".join(text.split("\n", 2)[2:])


_Way: TypeAlias = Callable[[Sanitiser, Any, tuple[int, ...]], Any]

# A subclass of a plain type may redefine anything: what counts is the plain value in it.
_WAYS: tuple[tuple[Any, _Way], ...] = (
    (NoneType | bool, lambda _, value, __: value),
    (str, lambda self, value, _: self._text(str.__str__(value))),
    (int, lambda self, value, _: self._int(int.__index__(value))),
    (float, lambda self, value, _: self._float(float.__float__(value))),
    (Mapping | list | tuple | set | frozenset | deque, Sanitiser.container),
    (datetime.date | datetime.time, lambda self, value, _: self._text(value.isoformat())),
    (decimal.Decimal | uuid.UUID | pathlib.PurePath, lambda self, value, _: self._text(str(value))),
    # Its `repr` holds all that could not be decoded.
    (UnicodeError, lambda self, value, _: self._text(describe(value))),
    (object, lambda self, value, _: self._repr(value)),
)


@lru_cache(maxsize=512)
def _way(kind: type) -> _Way:
    """Return how values of that type are shown.

    It is the type that counts, never `__class__`: to ask that would evaluate a lazy object, such
    as `request.user`, and query the database for the sake of a log line.
    """
    return next(way for base, way in _WAYS if issubclass(kind, base))


def _key(key: Any) -> str:
    name = str.__str__(key) if issubclass(type(key), str) else safe_repr(key)
    return well_formed(scrub(name[:MAX_NAME]))


def _unused(name: str, taken: Mapping[str, Any]) -> str:
    """Return the name, or another if it is taken: many may be alike once they are scrubbed."""
    if name not in taken:
        return name
    unused, number = f"fields.{name}", len(taken)
    while unused in taken:
        unused, number = f"fields.{name}#{number}", number + 1
    return unused


def is_secret(name: str, value: Any) -> bool:
    """Tell whether a field of that name is to be hidden: not if it says that there is no secret."""
    if not holds_secret(name) or value is None or value is True or value is False:
        return False
    if issubclass(type(value), str):
        return not is_nothing(str.__str__(value), is_assigned=True)
    if issubclass(type(value), list) and all(issubclass(type(item), str) for item in value[:9]):
        return not is_complaint(repr([str.__str__(item) for item in value[:9]]))
    return not (name.lower().endswith("tokens") and issubclass(type(value), int | float))


def _name_beside(name: str, mapping: Mapping[Any, Any]) -> str:
    """Return what a mapping like `{"name": "password", "value": …}` says of its value."""
    return _name_in(mapping.get("name", mapping.get("key"))) if name.lower() == "value" else ""


def _names_of_items(items: Any) -> tuple[str, ...]:
    """Return the names that a named tuple has for its items."""
    names = getattr(type(items), "_fields", ()) if issubclass(type(items), tuple) else ()
    return tuple(names)


def _name_in(item: Any) -> str:
    """Return an item of a list as the name that it may be."""
    if type(item) is bytes:
        return item[:MAX_NAME].decode("latin-1")
    return item[:MAX_NAME] if type(item) is str and not item.startswith("--no-") else ""


def _is_name(item: Any) -> bool:
    return is_field_name(_name_in(item)) or _name_in(item).startswith("-")


def _is_homogeneous(items: list[Any]) -> bool:
    kinds = {float if type(item) is int else type(item) for item in items}
    return len(kinds) == 1 and kinds <= {str, float, bool}
