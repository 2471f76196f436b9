"""All rules, and what they find."""

from django.core.checks import CheckMessage

from dockerflow_django.system_checks import (  # noqa: F401 - each adds its rules
    callables,
    deployment,
    leftovers,
    middleware,
    registration,
    summary_line,
    urls,
    values,
    version_file,
)
from dockerflow_django.system_checks.rule import RULES


def run(*, deploy: bool) -> list[CheckMessage]:
    """Return what the rules find: those for ``check --deploy``, or all the others."""
    return [
        rule.kind(found.sentence, hint=found.hint, id=rule.id)
        for rule in RULES
        if rule.deploy is deploy
        for found in rule.find()
    ]
