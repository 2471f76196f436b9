"""Text that can be written anywhere: on one line, in any encoding, whatever it came from."""

from collections.abc import Mapping
from typing import Any

UNPRINTABLE = "<unprintable "

_CONTROL = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}
_CONTROL |= {ord("\n"): "\\n", ord("\r"): "\\r", ord("\t"): "\\t"}
_CONTROL |= {0x2028: "\\u2028", 0x2029: "\\u2029"}
# These turn round what a terminal shows (CVE-2021-42574).
_CONTROL |= {code: f"\\u{code:04x}" for code in (*range(0x202A, 0x202F), *range(0x2066, 0x206A))}


def one_line(text: str) -> str:
    r"""Write control characters as `\n`, `\x1b` and so on: no new line, no terminal command."""
    return text if text.isascii() and text.isprintable() else text.translate(_CONTROL)


def well_formed(text: str) -> str:
    r"""Write lone surrogates, which no encoding carries, as `\ud800`; else return it as is."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode()
    return text


def from_wsgi(text: str) -> str:
    """Undo WSGI's reading of bytes as Latin-1 (PEP 3333)."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def safe_repr(value: Any) -> str:
    """Return `repr(value)`, or its type and why it has none.

    A `__repr__` that raises SystemExit costs itself, too, and not the process.
    """
    try:
        return str.__str__(repr(value))
    except BaseException as error:  # noqa: BLE001 - __repr__ is anybody's code
        return f"{UNPRINTABLE}{type(value).__name__}: {type(error).__name__}>"


def free_name(name: str, taken: Mapping[str, Any]) -> str:
    """Return the name, or the one under which its field is kept if that is taken."""
    while name in taken:
        name = f"fields.{name}"
    return name
