"""The survivors that need no test, each with the reason: one file a room, in ``explained/``.

An entry is for one change: its function, the line before and the line after. A rule is for all
changes whose function and lines match its regular expressions; what it leaves out matches all.
"""

import json
import re
import tomllib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.mutants.mutants import Survivor

FOLDER = Path(__file__).with_name("explained")


@dataclass(frozen=True)
class Entry:
    """One change, and why no test is expected to notice it."""

    function: str
    before: str
    after: str
    reason: str

    def explains(self, survivor: Survivor) -> bool:
        return survivor == Survivor(self.function, self.before, self.after)


@dataclass(frozen=True)
class Rule:
    """A class of changes; `is_text` is for those of letters within a string alone."""

    reason: str
    function: str = ".*"
    before: str = ".*"
    after: str = ".*"
    is_text: bool = False

    def explains(self, survivor: Survivor) -> bool:
        patterns = asdict(self)
        matches = all(re.fullmatch(patterns[name], was) for name, was in asdict(survivor).items())
        return matches and (not self.is_text or _is_text(survivor))


def _is_text(survivor: Survivor) -> bool:
    """Tell whether mutmut changed the case of a string, or put XX around it."""
    return survivor.after.replace("XX", "").lower() == survivor.before.lower()


def explanations(room: str) -> list[Entry | Rule]:
    """Return the entries and the rules of the room."""
    path = FOLDER / f"{room}.toml"
    read = tomllib.loads(path.read_text("utf-8")) if path.exists() else {}
    entries = [Entry(**each) for each in read.pop("entry", [])]
    rules = [Rule(**each) for each in read.pop("rule", [])]
    assert not read, f"{path.name}: neither entry nor rule: {list(read)}"
    return [*entries, *rules]


def compare(
    survivors: Iterable[Survivor], known: list[Entry | Rule]
) -> tuple[list[Survivor], list[Entry | Rule]]:
    """Return the survivors that nothing explains, and the explanations that no survivor needs."""
    unexplained, needed = [], set()
    for survivor in survivors:
        fitting = [each for each in known if each.explains(survivor)]
        needed.update(fitting[:1])
        if not fitting:
            unexplained.append(survivor)
    return unexplained, [each for each in known if each not in needed]


def as_entry(survivor: Survivor) -> str:
    """Return the entry to be completed, should the survivor need no test."""
    fields = {**asdict(survivor), "reason": ""}
    return "\n".join(["[[entry]]", *(f"{name} = {_quote(was)}" for name, was in fields.items())])


def _quote(text: str) -> str:
    """Write a string of TOML, without escapes where that can be."""
    return json.dumps(text) if "'" in text or text == "" else f"'{text}'"
