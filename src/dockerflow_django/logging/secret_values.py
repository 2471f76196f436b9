"""Where a secret ends in a text, once its name has been read, in time linear in the text."""

import re
from functools import lru_cache

from dockerflow_django.logging.expression import expression

MAX_SPAN = 4_096
"""How far a bracket may span lines."""

# One that stands in a string that stands in a string has backslashes before it; in a URL it is
# percent-encoded, in HTML a reference.
QUOTE = r"""(?:\\{0,63}+["'] | %(?:25){0,4}2[27] | &(?:quot|apos|\#3[49]|\#x2[27]);)"""
# White space; in the `repr` of a text an escape is written for the end of a line.
SPACE = r"(?:\s|\\{1,63}+[nrt])"

_OPENING = expression(rf"[bBrRuUfF]{{0,2}}+(?P<quote>{QUOTE})", re.VERBOSE)
_CALL = expression(r"[A-Za-z_][\w.]{0,63}+(?=\()")
_MARK = expression(r"""(?<!\\)(?P<run>\\*+)(?P<mark>["'\n])""")
_BRACKET = expression(r"""[\[\](){}\n]|(?<!\\)\\*+["']""")
# The end of the string or line that a value is part of, and of its pair in a query string.
_BARE = expression(
    r"""(?: [^\s&"'\\%]++
      | (?!\\{0,63}+["'](?:[\s,:;}\])]|$)) (?:\\{0,63}+["'] | \\{1,64}+)
      | (?!%(?:25){0,4}(?:26|2[27])) % )++""",
    re.VERBOSE,
)
# Of a name in quotes, as in JSON: there a comma or a bracket ends what is not quoted.
_BARE_ITEM = expression(r"""[^\s&,;}\])"']++""")
# Of a header: to the end of the line, or of the string that it stands in. What quotes there are
# within belong to a parameter: `Digest username="ada"`. A line that begins with white space goes on
# with the one before it (RFC 9112, 5.2), if lines end as in HTTP.
_LINE = expression(
    r"""(?: [^\r\n"'\\=]++
      | =(?:\\{0,63}+["'] [^"'\r\n\\]*+ \\{0,63}+["'])?+
      | \r\n[ \t]++ | \\{1,63}+r\\{1,63}+n(?:[ ]|\\{1,63}+t)
      | \\(?![\\rn"']) )++""",
    re.VERBOSE,
)
_OPEN, _CLOSE = "[({", "])}"
_CLOSING = "\"'\\)]}>,;"


class Values:
    """The values of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unclosed_until = 0

    def end(self, start: int, *, is_item: bool = False, is_header: bool = False) -> int:
        """Return the end of the value that begins there; `start` if there is none."""
        text = self._text
        if opening := _OPENING().match(text, start):
            return self.end_of_quoted(opening)
        if text[start : start + 1] in ("[", "(", "{"):
            return self._end_of_bracket(start)
        if call := _CALL().match(text, start):
            return self._end_of_bracket(call.end())
        if is_header:
            return self.end_of_line(start)
        found = (_BARE_ITEM() if is_item else _BARE()).match(text, start)
        # Brackets and quotes at the end most likely belong to what the value is part of.
        return start + len(found[0].rstrip(_CLOSING)) if found else start

    def end_of_line(self, start: int) -> int:
        """Return the end of a header's value, wherever in it `start` is."""
        found = _LINE().match(self._text, start)
        return found.end() if found else start

    def end_of_quoted(self, opening: re.Match[str]) -> int:
        """Return the end of a string; one that is not closed ends with its line."""
        quote, start = opening["quote"], opening.end()
        if quote[-1] not in "\"'":
            found = _end_of_encoded(quote).search(self._text, start)
            if found is None:
                return len(self._text)
            return found.end() if found[0] == quote else found.start()
        return self._end_of_string(start, quote[-1], len(quote) - 1)

    def _end_of_string(self, start: int, mark: str, depth: int) -> int:
        for found in _MARK().finditer(self._text, start):
            if found["mark"] == "\n":
                return found.start()
            # An even number of backslashes is written for a backslash, one more for the quote.
            run = len(found["run"])
            if found["mark"] == mark and run % (2 * depth + 2) == depth:
                return found.end()
        return len(self._text)

    def _end_of_bracket(self, start: int) -> int:
        """Return the end of a bracket; one that is not closed ends with its line."""
        depth, line_end = 0, -1
        position, limit = start, start + MAX_SPAN
        while found := _BRACKET().search(self._text, position):
            mark, position = found[0], found.end()
            if mark == "\n":
                if line_end < 0:
                    line_end = found.start()
                if position > limit or start < self._unclosed_until:
                    break
            elif mark in _OPEN:
                depth += 1
            elif mark in _CLOSE:
                depth -= 1
                if depth == 0:
                    return position
            else:
                position = self._end_of_string(position, mark[-1], len(mark) - 1)
        # No other bracket is looked for in these lines, so that none of them is read twice.
        self._unclosed_until = max(self._unclosed_until, position)
        return line_end if line_end >= 0 else len(self._text)


@lru_cache(maxsize=64)
def _end_of_encoded(quote: str) -> re.Pattern[str]:
    return re.compile(rf"{re.escape(quote)}|\s")
