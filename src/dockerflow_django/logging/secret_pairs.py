"""Take out secrets whose names do not stand right before them: in forms, lists, database errors.

Each expression is bounded, so the time is linear in the length of the text.
"""

import re

from dockerflow_django.logging.expression import expression
from dockerflow_django.logging.ordinary import is_nothing
from dockerflow_django.logging.secret_names import holds_secret
from dockerflow_django.logging.secret_values import QUOTE, SPACE, Values

# `{"name": "DB_PASSWORD", "value": "…"}`, `<input name="password" value="…">`, and YAML of these.
_NAMED = expression(
    rf"""(?<![\w.-]) (?:name|key) {QUOTE}?+ [ \t]{{0,4}}+ [:=] [ \t]{{0,4}}+
    {QUOTE}?+ (?P<name>[\w.-]{{1,128}}+) {QUOTE}?+ (?:[,;\s]|\\{{1,32}}+[nrt]){{0,64}}+
    {QUOTE}?+ value {QUOTE}?+ [ \t]{{0,4}}+ [:=] [ \t]{{0,4}}+""",
    re.VERBOSE | re.IGNORECASE,
)
# A part of a form, or the repr of one: after its header an empty line, and the value.
_PART = expression(
    r"""(?P<head>; [ ] name=\\{0,63}+["'](?P<name>[\w.-]{1,128}+)\\{0,63}+["']
        (?:\r?\n|(?:\\{1,63}+r)?\\{1,63}+n){2})
    (?P<value>[^\r\n\\]++)""",
    re.VERBOSE,
)
# PostgreSQL: `Key (shop, token)=(1, …) already exists.`
_COLUMNS = expression(r"\((?P<names>[^()=\n]{1,256}+)\){1,3}+=(?=\()")
# `INSERT INTO shop_user (name, password) VALUES (…)`; which one it is is not counted.
_INSERTED = expression(
    rf"\((?P<names>[^()]{{1,2048}}+)\){SPACE}{{1,8}}+values{SPACE}{{0,8}}+(?=\()", re.IGNORECASE
)
# MySQL names the index, and Django names that after table and columns.
_DUPLICATE = expression(
    r"""(?P<head>Duplicate[ ]entry[ ]\\{0,63}+') [^\n]{1,768}?
    (?P<tail>(?<!\\)\\{0,63}+' [ ]for[ ]key[ ] \\{0,63}+' (?P<name>[^'\\\n]{1,256}+) \\{0,63}+')""",
    re.VERBOSE,
)
_NEXT_ROW = expression(rf"{SPACE}{{0,8}}+,{SPACE}{{0,8}}+(?=\()")
_BETWEEN = expression(r"[^\w-]+")


def hide_pairs(text: str, mark: str) -> str:
    """Return the text with the mark in place of such secrets."""
    if "value" in text:
        text = _hide_values(text, mark, _NAMED())
    if ")=(" in text:
        text = _hide_values(text, mark, _COLUMNS())
    if "VALUES" in text or "values" in text:
        text = _hide_values(text, mark, _INSERTED())
    if "name=" in text:
        text = _PART().sub(lambda found: _replaced(found, mark), text)
    if "Duplicate entry" in text:
        text = _DUPLICATE().sub(lambda found: _replaced(found, mark), text)
    return text


def _hide_values(text: str, mark: str, names: re.Pattern[str]) -> str:
    parts: list[str] = []
    values, done, position = Values(text), 0, 0
    while found := names.search(text, position):
        start = position = found.end()
        if not _names_secret(found):
            continue
        end = values.end(start, is_item=True)
        if names is _INSERTED():
            while row := _NEXT_ROW().match(text, end):
                end = values.end(row.end())
        if end > start and not is_nothing(text[start:end], is_assigned=True):
            parts += text[done:start], mark
            done = position = end
    return "".join((*parts, text[done:])) if parts else text


def _names_secret(found: re.Match[str]) -> bool:
    if "name" in found.groupdict():
        return holds_secret(found["name"])
    return any(map(holds_secret, _BETWEEN().split(found["names"])))


def _replaced(found: re.Match[str], mark: str) -> str:
    if not holds_secret(found["name"]):
        return found[0]
    return f"{found['head']}{mark}{found.groupdict().get('tail', '')}"
