"""Turn what a setting or an environment variable holds into the value that the app works with.

Every function takes the raw value, a string if it comes from the environment, and returns the
typed one, or raises `ValueError` whose text completes the sentence "it must be …".
"""

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar, cast, get_args

from django.core import checks

from dockerflow_django.health import PROBES

DetailsWord = Literal["debug", "always", "never"]
DETAILS_WORDS = get_args(DetailsWord)
Details = DetailsWord | Callable[[Any], object] | str
Entry = tuple[str | Callable[..., Any], Mapping[str, Any]]
T = TypeVar("T")

LEVELS = {
    "DEBUG": checks.DEBUG,
    "INFO": checks.INFO,
    "WARNING": checks.WARNING,
    "ERROR": checks.ERROR,
    "CRITICAL": checks.CRITICAL,
}
_WORDS = {
    **dict.fromkeys(("1", "true", "t", "yes", "y", "on"), True),
    **dict.fromkeys(("0", "false", "f", "no", "n", "off"), False),
}
_DOTTED_PATH = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)+")
_PRINTABLE = re.compile(r"[ -~]+")
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")  # RFC 9110, section 5.6.2


def boolean(raw: object) -> bool:
    """Take True, False, 1, 0, and the words that people write for them."""
    if isinstance(raw, int) and raw in (0, 1):
        return bool(raw)
    value = _WORDS.get(raw.strip().lower()) if isinstance(raw, str) else None
    if value is None:
        raise ValueError("True or False")
    return value


def integer(low: int, high: int) -> Callable[[object], int]:
    """Take a whole number between two bounds, both included."""

    def cast_integer(raw: object) -> int:
        try:
            value = int(raw) if isinstance(raw, (int, str)) and not isinstance(raw, bool) else None
        except ValueError:
            value = None
        if value is None or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return cast_integer


def number(low: float, high: float = math.inf, *, above: bool = False) -> Callable[[object], float]:
    """Take a finite number between two bounds; `above` leaves the lower bound out."""
    wanted = f"a number {'above' if above else 'from'} {low:g}"
    wanted += f" to {high:g}" if math.isfinite(high) else ""

    def cast_number(raw: object) -> float:
        try:
            usable = isinstance(raw, (int, float, str)) and not isinstance(raw, bool)
            value = float(cast(float, raw)) if usable else math.nan
        except (ValueError, OverflowError):
            value = math.nan
        if not math.isfinite(value) or not low <= value <= high or (above and value == low):
            raise ValueError(wanted)
        return value

    return cast_number


def optional(cast: Callable[[object], T]) -> Callable[[object], T | None]:
    """Take None, or an empty string, besides what `cast` takes."""

    def cast_or_none(raw: object) -> T | None:
        if raw is None or raw == "":
            return None
        try:
            return cast(raw)
        except ValueError as error:
            raise ValueError(f"None or {error}") from None

    return cast_or_none


def text(raw: object) -> str:
    """Take a string that is not empty, without what bytes of another encoding become."""
    if not isinstance(raw, str) or not raw or not is_utf8(raw):
        raise ValueError("a string that is not empty, in UTF-8")
    return raw


def is_utf8(raw: str) -> bool:
    """Tell whether UTF-8 can hold the text: bytes that are none become surrogates in Python."""
    try:
        raw.encode()
    except UnicodeEncodeError:
        return False
    return True


def token(raw: object) -> str:
    """Take what a client can send in a header: printable ASCII, no white space around it."""
    if not isinstance(raw, str) or not _PRINTABLE.fullmatch(raw) or raw != raw.strip():
        raise ValueError("printable ASCII, without white space around it")
    return raw


def header_name(raw: object) -> str:
    """Take the name of an HTTP header."""
    if not isinstance(raw, str) or not _TOKEN.fullmatch(raw):
        raise ValueError("the name of an HTTP header, like 'X-Request-ID'")
    return raw


def level(raw: object) -> int:
    """Take the name of a check level, or its number."""
    value = LEVELS.get(raw.strip().upper()) if isinstance(raw, str) else raw
    if isinstance(value, bool) or value not in LEVELS.values():
        raise ValueError(f"one of {', '.join(map(repr, LEVELS))}")
    return cast(int, value)


# The keywords of an entry that are the app's own, and are not handed on to the check.
OPTIONS: Mapping[str, Callable[[object], Any]] = {
    "timeout": number(0, above=True),
    "every": number(0),
    "fail_level": level,
}


def patterns(raw: object) -> tuple[re.Pattern[str], ...]:
    """Take a list of regular expressions, as JSON if it comes from the environment."""
    compiled = []
    for index, pattern in enumerate(_items(raw)):
        source = pattern.pattern if isinstance(pattern, re.Pattern) else pattern
        if not isinstance(source, str):
            raise ValueError(f"a list of regular expressions; item {index} is {pattern!r}")  # noqa: TRY004
        try:
            compiled.append(re.compile(cast("str | re.Pattern[str]", pattern)))
        except (re.error, RecursionError, OverflowError) as error:
            wanted = f"a list of regular expressions; item {index} does not compile: {error}"
            raise ValueError(wanted) from None
    return tuple(compiled)


def target(raw: object) -> Callable[..., Any] | str:
    """Take a callable or the dotted path of one."""
    if callable(raw) or (isinstance(raw, str) and _DOTTED_PATH.fullmatch(raw)):
        return raw
    raise ValueError("the dotted path of a callable, like 'shop.health.check_stock', or a callable")


def details(raw: object) -> Details:
    """Take one of the three words, or the callable that decides."""
    if raw in DETAILS_WORDS:
        return cast(Details, raw)
    try:
        return target(raw)
    except ValueError as error:
        raise ValueError(f"'debug', 'always', 'never', or {error}") from None


def details_word(raw: object) -> Details:
    """Take one of the three words: the environment does not choose what code runs."""
    if raw not in DETAILS_WORDS:
        raise ValueError("'debug', 'always' or 'never'; a callable only in the settings")
    return cast(Details, raw)


def entries(raw: object) -> tuple[Entry, ...]:
    """Take a list of checks, each a path, a callable, or a pair of one and its keywords."""
    return tuple(_entry(index, entry) for index, entry in enumerate(_listed(raw)))


def probes(raw: object) -> dict[str, tuple[Entry, ...]]:
    """Take a mapping from the name of a probe to the list of its checks."""
    if not isinstance(raw, Mapping):
        raise ValueError("a mapping from the name of a probe to a list of checks")  # noqa: TRY004
    for name in raw:
        if name not in PROBES:
            raise ValueError(f"a mapping whose keys are among {', '.join(PROBES)}, not {name!r}")
    return {name: entries_of(name, raw) for name in raw}


def entries_of(probe: str, raw: Mapping[str, object]) -> tuple[Entry, ...]:
    """Take the checks that the mapping lists for one probe, whatever it holds for the others."""
    try:
        return entries(raw[probe])
    except ValueError as error:
        raise ValueError(f"a mapping whose {probe!r} is {error}") from None


def check_options(keywords: Mapping[str, Any]) -> dict[str, Any]:
    """Take the keywords of a check; those of `OPTIONS` are cast, unless they are None."""
    taken = dict(keywords)
    for name, cast_option in OPTIONS.items():
        if taken.get(name) is not None:
            try:
                taken[name] = cast_option(taken[name])
            except ValueError as error:
                raise ValueError(f"{name}={taken[name]!r}, not {error}") from None
    return taken


def _entry(index: int, raw: object) -> Entry:
    path, keywords = raw if isinstance(raw, (tuple, list)) and len(raw) == 2 else (raw, {})  # noqa: PLR2004
    if not isinstance(keywords, Mapping) or not all(isinstance(key, str) for key in keywords):
        raise ValueError(
            f"a list of checks; item {index} is {raw!r}, not (path, {{keyword: value}})"
        )
    try:
        function = target(path)
    except ValueError as error:
        raise ValueError(f"a list of checks; item {index} is {path!r}, not {error}") from None
    try:
        return function, check_options(keywords)
    except ValueError as error:
        raise ValueError(f"a list of checks; item {index} has {error}") from None


def _listed(raw: object) -> Sequence[object]:
    # A generator would be empty the second time, and a string is a path without its list.
    if not isinstance(raw, (list, tuple)):
        raise ValueError(f"a list of checks, not a {type(raw).__name__}")  # noqa: TRY004
    return raw


def _items(raw: object) -> Sequence[object]:
    if isinstance(raw, str):
        try:
            raw = json.loads(raw)
        except (ValueError, RecursionError):
            raise ValueError("a list, in the environment as JSON") from None
    if not isinstance(raw, (list, tuple)):
        raise ValueError("a list")  # noqa: TRY004
    return raw
