"""Take a Dockerfile apart into instructions: comments, continued lines, heredocs, flags, lists.

The rules are those of BuildKit's parser; a test compares both.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

_INSTRUCTIONS = {
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL",
    "MAINTAINER", "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
}  # fmt: skip
# Only these take heredocs, below ONBUILD as well.
_WITH_HEREDOCS = {"ADD", "COPY", "RUN"}
_DIRECTIVE = re.compile(r"#\s*([a-zA-Z][a-zA-Z0-9]*)\s*=\s*(.+?)\s*")
_WORD = re.compile(r"""(?:[^\s"'\\]|\\.|"(?:\\.|[^"\\])*"|'[^']*')+""")
_HEREDOC = re.compile(r"(\d*)<<(-?)([^<]+)")
_FLAG = re.compile(r"--[a-z][\w-]*(?:=(?:\"[^\"]*\"|'[^']*'|\S)*)?(?=\s|$)")


class NotADockerfileError(ValueError):
    """A line cannot be read."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its name in capitals, flags, the rest of its line, and heredocs."""

    line: int
    name: str
    flags: tuple[str, ...]
    text: str
    heredocs: tuple[str, ...] = ()

    @property
    def items(self) -> list[str] | None:
        """Return the strings of the form with brackets, None if it is not in that form."""
        try:
            found = json.loads(self.text) if self.text.startswith("[") else None
        except ValueError:
            return None
        is_list = isinstance(found, list) and all(isinstance(item, str) for item in found)
        return found if is_list else None

    def flag(self, name: str) -> str | None:
        """Return the value of a flag, an empty text if it has none, None if it is not given."""
        for flag in self.flags:
            key, _, value = flag.partition("=")
            if key == f"--{name}":
                return value.strip("\"'")
        return None


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile; raise NotADockerfileError at what is none."""
    # Not `splitlines`: a form feed ends no line.
    lines = text.removeprefix("\ufeff").replace("\r\n", "\n").split("\n")
    escape = _escape(lines)
    numbered = iter(enumerate(lines, 1))
    return [
        _instruction(number, whole, escape, numbered)
        for number, whole in _whole_lines(numbered, escape)
    ]


def _escape(lines: list[str]) -> str:
    """Return the character that continues a line: a directive at the very top may change it."""
    for line in lines:
        found = _DIRECTIVE.fullmatch(line.strip())
        if not found:
            break
        if found[1].lower() == "escape":
            return found[2]
    return "\\"


def _whole_lines(numbered: Iterator[tuple[int, str]], escape: str) -> Iterator[tuple[int, str]]:
    """Yield each instruction's line, joined with those that continue it, without comments."""
    mark = re.escape(escape)
    continued = re.compile(rf"(?<!{mark}){mark}[ \t]*$")  # one that is escaped continues nothing
    begin, parts = 0, []
    for number, line in numbered:
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        begin = begin or number
        parts.append(continued.sub("", line))
        if not continued.search(line):
            yield begin, "".join(parts).strip()
            begin, parts = 0, []
    if parts:
        yield begin, "".join(parts).strip()


def _instruction(
    number: int, line: str, escape: str, following: Iterator[tuple[int, str]]
) -> Instruction:
    name, *more = line.split(maxsplit=1)
    rest = more[0] if more else ""
    if name.upper() not in _INSTRUCTIONS:
        raise NotADockerfileError(f"line {number}: {name[:40]!r} is no instruction")
    flags, rest = _flags(rest.strip())
    names = _heredocs(rest) if _takes_heredocs(name, rest) else []
    heredocs = tuple(_body(end, has_tabs, number, following) for has_tabs, end in names)
    return Instruction(number, name.upper(), tuple(flags), rest, heredocs)


def _takes_heredocs(name: str, rest: str) -> bool:
    if name.upper() == "ONBUILD":
        name = "".join(rest.split(maxsplit=1)[:1])
    return name.upper() in _WITH_HEREDOCS


def _flags(rest: str) -> tuple[list[str], str]:
    flags = []
    while found := _FLAG.match(rest):
        flags.append(found[0])
        rest = rest[found.end() :].lstrip()
    return flags, rest


def _heredocs(rest: str) -> list[tuple[bool, str]]:
    """Return of each heredoc whether it may be indented by tabs, and the line that ends it."""
    words = (_HEREDOC.fullmatch(word) for word in _WORD.findall(rest))
    return [(bool(word[2]), word[3].strip("\"'")) for word in words if word]


def _body(end: str, has_tabs: bool, number: int, following: Iterator[tuple[int, str]]) -> str:
    lines: list[str] = []
    for _, line in following:
        if (line.lstrip("\t") if has_tabs else line) == end:
            return "".join(f"{line}\n" for line in lines)
        lines.append(line.lstrip("\t") if has_tabs else line)
    raise NotADockerfileError(f"line {number}: nothing ends the heredoc {end!r}")
