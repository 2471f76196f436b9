"""Take out passwords in SQL and in command lines, where no name with a sign stands before them.

Each expression is possessive or bounded, so the time is linear in the length of the text.
"""

import re
from collections.abc import Callable

from dockerflow_django.logging.expression import Expression, expression
from dockerflow_django.logging.ordinary import is_field_name, is_nothing
from dockerflow_django.logging.secret_values import QUOTE, SPACE, Values

# `CREATE USER … IDENTIFIED BY '…'`, `ALTER ROLE … PASSWORD '…'`, `PASSWORD('…')`.
_SQL = expression(
    rf"""(?: \bidentified {SPACE}{{1,8}}+
        (?:with {SPACE}{{1,8}}+ [`"']?+ [\w-]{{1,64}}+ [`"']?+ {SPACE}{{1,8}}+)?+
        (?:by|as|using) {SPACE}{{1,8}}+ (?:password {SPACE}{{1,8}}+)?+
      | password (?:{SPACE}{{1,8}}+ | {SPACE}{{0,8}}+ \( {SPACE}{{0,8}}+)
    ) [en]?+ (?={QUOTE})""",
    re.VERBOSE | re.IGNORECASE,
)
# An option's value follows it at once, behind a space, or as the next item of a list.
_COMMA = rf"{QUOTE} \s{{0,4}}+ , \s{{0,4}}+ {QUOTE}"
_NEXT = rf"(?: {_COMMA} | [ \t=]{{0,4}}+ {QUOTE}?+ )"
_USER_OPTION = expression(
    rf"""(?<![\w-]) (?:-[uU]|--user|--proxy-user) {_NEXT} [^\s:"'\\]{{0,128}}+ : (?=\S)""",
    re.VERBOSE,
)
# With a space it would be a database's name, and numbers are ports: `docker run -p3306:3306`.
_PASSWORD_OPTION = expression(r"(?<![\w-])-p(?!\d{1,5}+:)(?=[^\s-])")
_SSHPASS_OPTION = expression(rf"\bsshpass (?:{_COMMA}|\s{{1,4}}+) -p {_NEXT} (?=\S)", re.VERBOSE)
_REDIS_OPTION = expression(rf"(?<![\w-]) -a {_NEXT} (?=[^\s-])", re.VERBOSE)

_COMMANDS: tuple[tuple[str, Expression], ...] = (
    ("curl", _USER_OPTION),
    ("mysql", _PASSWORD_OPTION),
    ("mariadb", _PASSWORD_OPTION),
    ("sshpass", _SSHPASS_OPTION),
    ("redis-cli", _REDIS_OPTION),
)


def hide_in_commands(text: str, mark: str) -> str:
    """Return the text with the mark in place of passwords in SQL and in command lines."""
    lowered = text.lower()
    if "identified" in lowered or "password" in lowered:
        text = _hide(text, mark, _SQL(), _is_name_or_nothing)
    for program, option in _COMMANDS:
        if program in lowered:
            text = _hide(text, mark, option(), lambda value: value == mark)
    return text


def _hide(text: str, mark: str, before: re.Pattern[str], stays: Callable[[str], bool]) -> str:
    parts: list[str] = []
    values, done, position = Values(text), 0, 0
    while found := before.search(text, position):
        start = position = found.end()
        end = values.end(start)
        if end > start and not stays(text[start:end]):
            parts += text[done:start], mark
            done = position = end
    return "".join((*parts, text[done:])) if parts else text


def _is_name_or_nothing(value: str) -> bool:
    return is_field_name(value) or is_nothing(value, is_assigned=True)
