"""What a requirement is, and what judging by it yields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, Literal, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Evidence = TypeVar("Evidence")
Level = Literal["must", "should"]
Status = Literal["ok", "fail", "warn", "skip"]


@dataclass(frozen=True)
class Finding:
    """What one look has shown: whether the requirement is met, None if that cannot be seen."""

    met: bool | None
    seen: str


@dataclass(frozen=True)
class Requirement(Generic[Evidence]):
    """One requirement: its text, how strict it is, who asks for it, and how to meet it."""

    name: str
    text: str
    level: Level
    source: str
    mend: str
    judge: Callable[[Evidence], Finding]


@dataclass(frozen=True)
class Result:
    """What became of one requirement for one subject."""

    subject: str
    requirement: Requirement[object]
    finding: Finding

    @property
    def status(self) -> Status:
        """Return how the line begins: a `should` that is not met is a warning."""
        if self.finding.met is None:
            return "skip"
        if self.finding.met:
            return "ok"
        return "fail" if self.requirement.level == "must" else "warn"


def ok(seen: str) -> Finding:
    """Return a finding: the requirement is met."""
    return Finding(True, seen)


def bad(seen: str) -> Finding:
    """Return a finding: the requirement is not met."""
    return Finding(False, seen)


def unseen(reason: str) -> Finding:
    """Return a finding: nobody can tell from here, for this reason."""
    return Finding(None, reason)


def must(
    text: str, *, source: str, mend: str
) -> Callable[[Callable[[Evidence], Finding]], Requirement[Evidence]]:
    """Make a function a requirement whose failure fails the check."""
    return _requirement(text, "must", source, mend)


def should(
    text: str, *, source: str, mend: str
) -> Callable[[Callable[[Evidence], Finding]], Requirement[Evidence]]:
    """Make a function a recommendation, which fails the check only under ``--strict``."""
    return _requirement(text, "should", source, mend)


def _requirement(
    text: str, level: Level, source: str, mend: str
) -> Callable[[Callable[[Evidence], Finding]], Requirement[Evidence]]:
    def decorate(judge: Callable[[Evidence], Finding]) -> Requirement[Evidence]:
        name = judge.__name__.replace("_", "-")
        return Requirement(name, text, level, source, mend, judge)

    return decorate


def judge_all(
    subject: str, requirements: Iterable[Requirement[Evidence]], evidence: Evidence
) -> Iterator[Result]:
    """Yield the result of every requirement, in order."""
    for requirement in requirements:
        yield Result(subject, requirement, requirement.judge(evidence))  # type: ignore[arg-type]
