"""Read arguments, say one line, end with 0 or 1, whatever the terminal does."""

from __future__ import annotations

import getopt
import os
import sys

# What `typing` calls so too; importing it would cost a health check more than it is worth here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

LINE_CHARACTERS = 700

# To the last @ of the authority; if there is a password, to the last one of the word, for it may
# have a slash. What follows a colon and is a number is a port.
_USER_INFO = r"//(?:[^\s/?#]*|[^\s/?#:@]*:(?!\d{0,5}[/?#\s])[^\s'\"]*)@"


def run(main: Callable[[list[str]], int]) -> int:
    """Call main with the arguments of this process, and return its exit status, 1 on Ctrl-C."""
    try:
        return main(sys.argv[1:])
    except KeyboardInterrupt:
        complain("interrupted")
        return 1


def asks_for_help(arguments: list[str]) -> bool:
    """Say whether the arguments are a question and no order."""
    return "-h" in arguments or "--help" in arguments


def read_arguments(
    arguments: list[str], options: list[str], most_operands: int
) -> tuple[dict[str, str], list[str]]:
    """Return the options given, with their values, and the operands.

    Options are written as for `getopt`. Raises ValueError for what is not among them, without the
    operands' text, which may hold a password.
    """
    try:
        given, operands = getopt.gnu_getopt(arguments, "", options)
    except getopt.GetoptError as error:
        raise ValueError(error.msg) from None
    if len(operands) > most_operands:
        raise ValueError(f"too many arguments: {len(operands)}, and at most {most_operands}")
    return dict(given), operands


def read_seconds(option: str, value: str, least: float, most: float) -> float:
    """Return the number of seconds that an option holds; raise ValueError for any other text."""
    try:
        seconds = float(value)
    except ValueError:
        seconds = -1.0
    # This way round, as no comparison with NaN is true.
    if not least <= seconds <= most:
        raise ValueError(f"{option} {value!r} is no number of seconds from {least:g} to {most:g}")
    return seconds


def say(line: str) -> None:
    """Write one line to standard output; if nobody reads, it is lost without an error."""
    _write(_shown(line), error=False)


def complain(line: str) -> None:
    """Write one line to standard error; if nobody reads, it is lost without an error."""
    _write(_shown(line), error=True)


def show(text: str) -> None:
    """Write our own text of several lines to standard output, as it is."""
    _write(text, error=False)


def one_line(text: str) -> str:
    """Return text, which a server may have sent, on one line, printable and not too long."""
    return _cut(_printable(text), LINE_CHARACTERS)


def _shown(text: str) -> str:
    # Hidden before it is cut, for a cut may leave the password and take the @.
    line = _cut(_printable(text), 2 * LINE_CHARACTERS)
    return _cut(_without_user_info(line), LINE_CHARACTERS)


def _printable(text: str) -> str:
    words = " ".join(text.split())
    return "".join(char if char.isprintable() else "?" for char in words)


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[: most - 3]}..."


def _without_user_info(line: str) -> str:
    """Hide user and password of a URL, which may stand in the wrong place."""
    if "//" not in line or "@" not in line:
        return line
    import re  # late: what asks every few seconds does without it

    return re.sub(_USER_INFO, "//[redacted]@", line)


def _write(text: str, *, error: bool) -> None:
    stream = sys.stderr if error else sys.stdout
    if stream is None:  # closed before Python started
        return
    try:
        # A terminal that lacks a letter costs that letter, not the line.
        line = text.encode(stream.encoding, "backslashreplace").decode(stream.encoding)
        stream.write(f"{line}\n")
        stream.flush()
    except OSError:
        # What waits in the buffer would fail once more at exit, and make the status 120.
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
