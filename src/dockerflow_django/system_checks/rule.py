"""What a rule is: one function that judges the configuration, with one id and one level."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.core.checks import CheckMessage, register

TAG = "dockerflow"


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
    """Let Django call a function that yields findings; `deploy` leaves it to ``check --deploy``."""

    def keep(find: Find) -> Find:
        def check(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
            return [kind(found.sentence, hint=found.hint, id=id_) for found in find()]

        check.__name__ = find.__name__
        check.__qualname__ = find.__qualname__
        check.__module__ = find.__module__
        check.__doc__ = find.__doc__
        register(check, TAG, deploy=deploy)
        RULES.append(Rule(id_, kind, find, deploy))
        return find

    return keep
