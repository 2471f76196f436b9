"""Where a secret ends in a text, once its name has been read, in time linear in the text."""

import re
from functools import lru_cache

from dockerflow_django.logging.expression import expression

MAX_SPAN = 4_096
"""How far a bracket may span lines."""

MAX_LEVELS = 8
"""How many strings within strings are told apart."""

# One that stands in a string that stands in a string has backslashes before it; in a URL it is
# percent-encoded, in HTML a reference.
QUOTE = r"""(?:\\{0,63}+["'] | %(?:25){0,4}2[27] | &(?:quot|apos|\#3[49]|\#x2[27]);)"""
# White space; in the `repr` of a text an escape is written for the end of a line.
SPACE = r"(?:\s|\\{1,63}+[nrt])"

_OPENING = expression(rf"[bBrRuUfF]{{0,2}}+(?P<quote>{QUOTE})", re.VERBOSE)
_ANGLE = expression(r"<[^<>\n]*+>")
_CALL = expression(r"[A-Za-z_][\w.]{0,63}+(?=\()")
# The first quote of a string; an apostrophe is none.
_BEGINNING = expression(r"""(?:(?<![^\W_])|(?<=[bBrRuUfF])(?<![^\W_]{2}))\\*+["']""")
_MARK = expression(r"""(?<!\\)(?P<run>\\*+)(?P<mark>["'\n])""")
_BRACKET = expression(r"""[\[\](){}\n]|(?<!\\)\\*+["']""")
# Right behind a closed quote or bracket: the value has quotes or brackets within.
_GOES_ON = expression(r"[\w!#$*+@^~({\[-]|[./?=](?=\w)")
# The end of the string or line that a value is part of, and of its pair in a query string. A quote
# or `&` that is percent-encoded more often than the text itself belongs to the value.
_BARE = tuple(
    expression(
        rf"""(?: [^\s&"'\\%]++
          | (?!\\{{0,63}}+["'](?:[\s,:;}}\])]|$)) (?:\\{{0,63}}+["'] | \\{{1,64}}+)
          | {end} % )++""",
        re.VERBOSE,
    )
    for end in ("", *(rf"(?!%(?:25){{0,{times}}}(?:26|2[27]))" for times in range(5)))
)
# Of a name in quotes, as in JSON: there a comma or a bracket ends what is not quoted.
_BARE_ITEM = expression(r"""[^\s&,;}\])"']++""")
# Of a header: to the end of the line, or to a quote. A line that begins with white space goes on
# with the one before it (RFC 9112, 5.2), if lines end as in HTTP.
_LINE = expression(
    r"""(?: [^\r\n"'\\]++
      | \r\n[ \t]++ | \\{1,63}+r\\{1,63}+n(?:[ ]|\\{1,63}+t)
      | \\++(?![rn"']) )++""",
    re.VERBOSE,
)
_IN_LINE = expression(r"""(?P<run>\\*+)(?P<mark>["'])""")
_OPEN, _CLOSE = "[({", "])}"
_CLOSING = "\"'\\)]}>,;"


class Values:
    """The values of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._unclosed_until = 0
        self._open: list[str] = []
        self._read_until = 0
        self._levels = 0

    def open_before(self, position: int) -> tuple[str, ...]:
        """Return the quotes of the strings that the position is in, the outermost first."""
        for found in _MARK().finditer(self._text, self._read_until, position):
            if found["mark"] == "\n":
                self._open.clear()
            elif found[0] in self._open:
                del self._open[self._open.index(found[0]) :]
            elif len(self._open) < MAX_LEVELS and _BEGINNING().match(self._text, found.start()):
                self._open.append(found[0])
        self._read_until = max(self._read_until, position)
        return tuple(self._open)

    def end(
        self,
        start: int,
        *,
        is_item: bool = False,
        header_in: tuple[str, ...] | None = None,
        encoded: int = 0,
    ) -> int:
        """Return the end of the value that begins there; `start` if there is none.

        Of a header's value, `header_in` are the quotes of the strings that it is in. `encoded` is
        how many times the text is percent-encoded that the value is part of.
        """
        self._levels = len(self.open_before(start))
        end = self._end_of_part(start, is_item, header_in, encoded)
        while _GOES_ON().match(self._text, end):
            end = self._end_of_part(end, is_item, header_in, encoded)
        self._read_until = max(self._read_until, end)
        return end

    def _end_of_part(
        self, start: int, is_item: bool, header_in: tuple[str, ...] | None, encoded: int
    ) -> int:
        text = self._text
        opening = _OPENING().match(text, start)
        if opening and times_encoded(opening["quote"]) <= encoded:
            return self.end_of_quoted(opening)
        if text[start : start + 1] in ("[", "(", "{"):
            return self._end_of_bracket(start)
        if angle := _ANGLE().match(text, start):
            return angle.end()
        if call := _CALL().match(text, start):
            return self._end_of_bracket(call.end())
        if header_in is not None:
            return self.end_of_line(start, header_in)
        found = (_BARE_ITEM if is_item else _BARE[encoded])().match(text, start)
        # Brackets and quotes at the end most likely belong to what the value is part of.
        return start + len(found[0].rstrip(_CLOSING)) if found else start

    def end_of_line(self, start: int, header_in: tuple[str, ...]) -> int:
        """Return the end of a header's value, wherever in it `start` is.

        A quote ends it if the header is in a string of such quotes, unless it begins a parameter:
        `Digest username="ada"`. Any other belongs to the value.
        """
        text, position = self._text, start
        while True:
            if found := _LINE().match(text, position):
                position = found.end()
            if not (quote := _IN_LINE().match(text, position)):
                return position
            if quote[0] in header_in:
                is_parameter = text[position - 1] == "="
                quote = self._closing(quote.end(), quote[0], in_word=True) if is_parameter else None
                if not quote or quote["mark"] == "\n":
                    return position
            position = quote.end()

    def end_of_quoted(self, opening: re.Match[str]) -> int:
        """Return the end of a string; one that is not closed ends with its line."""
        quote, start = opening["quote"], opening.end()
        if quote[-1] not in "\"'":
            found = _end_of_encoded(quote).search(self._text, start)
            if found is None:
                return len(self._text)
            return found.end() if found[0] == quote else found.start()
        return self._end_of_string(start, quote)

    def _end_of_string(self, start: int, quote: str) -> int:
        closing = self._closing(start, quote)
        if closing is None:
            return len(self._text)
        return closing.start() if closing["mark"] == "\n" else closing.end()

    def _closing(self, start: int, quote: str, *, in_word: bool = False) -> re.Match[str] | None:
        """Return the quote or the end of the line that ends the string, if there is one.

        A quote that is doubled, as in SQL, does not end it, nor, unless `in_word`, one before a
        letter.
        """
        cycle = max(2 ** (self._levels + 1), 2 * len(quote))
        text, mark, depth, doubled = self._text, quote[-1], len(quote) - 1, -1
        for found in _MARK().finditer(text, start):
            if found["mark"] == "\n":
                return found
            # Each string around doubles the backslashes; an odd one belongs to the quote.
            is_quote = found["mark"] == mark and len(found["run"]) % cycle == depth
            if is_quote and found.start() != doubled:
                after = text[found.end() : found.end() + 1]
                if after == mark and not depth:
                    doubled = found.end()
                elif in_word or not after.isalnum():
                    return found
        return None

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
                position = self._end_of_string(position, mark)
        # No other bracket is looked for in these lines, so that none of them is read twice.
        self._unclosed_until = max(self._unclosed_until, position)
        return line_end if line_end >= 0 else len(self._text)


@lru_cache(maxsize=64)
def _end_of_encoded(quote: str) -> re.Pattern[str]:
    # Nothing that is percent-encoded has spaces.
    end = r"\s" if quote.startswith("%") else r"\n"
    return re.compile(rf"(?<!\\)(?<!5C){re.escape(quote)}|{end}")


def times_encoded(text: str) -> int:
    """Return how often a character is percent-encoded: `%3D` once, `%253D` twice."""
    return 1 + text.count("25") if text.startswith("%") else 0
