"""What a rule is: one function that judges the configuration, with one id and one level."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from django.core.checks import CheckMessage


@dataclass(frozen=True)
class Finding:
    """What is wrong, with the value seen, and how to put it right."""

    sentence: str
    hint: str


Find = Callable[[], Iterator[Finding]]


@dataclass(frozen=True)
class Rule:
    """One rule, as the reference lists it."""

    id: str
    kind: Callable[..., CheckMessage]
    find: Find
    deploy: bool


RULES: list[Rule] = []


def rule(
    id_: str, kind: Callable[..., CheckMessage], *, deploy: bool = False
) -> Callable[[Find], Find]:
    """Make a rule of a function that yields findings; `deploy` leaves it to ``check --deploy``."""

    def keep(find: Find) -> Find:
        RULES.append(Rule(id_, kind, find, deploy))
        return find

    return keep
