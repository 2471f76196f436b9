"""The rule about checks in Django's own registry."""

from collections.abc import Iterator

from django.core.checks import Warning  # noqa: A004 - Django's name

from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import registered_in_django
from dockerflow_django.system_checks.rule import Finding, rule


@rule("dockerflow.W010", Warning)
def check_django_runs_no_heartbeat_check() -> Iterator[Finding]:
    """Find checks of the heartbeat that Django runs with its commands."""
    checks = [Check(function, {}) for function in registered_in_django()]
    if names := [f"{check.module}.{check.name}" for check in checks]:
        yield Finding(
            f"Django runs {', '.join(names)} with its commands, where a service may be down.",
            "Register with dockerflow_django.checks.register instead of Django's, under the same "
            "tags.",
        )
