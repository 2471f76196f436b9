"""Rules for ``manage.py check --deploy``."""

from collections.abc import Iterator

from django.core.checks import Warning  # noqa: A004 - Django's name

from dockerflow_django.conf import conf
from dockerflow_django.system_checks.rule import Finding, rule


@rule("dockerflow.W012", Warning, deploy=True)
def check_details_are_not_public() -> Iterator[Finding]:
    """Find a deployment that shows everyone what is wrong with it."""
    if conf.DOCKERFLOW_HEARTBEAT_DETAILS == "always":
        yield Finding(
            "DOCKERFLOW_HEARTBEAT_DETAILS is 'always': whoever reaches /__heartbeat__ sees the "
            "names and messages of the checks.",
            "Set it to 'debug', 'never', or the path of a function that tells who may.",
        )


@rule("dockerflow.W013", Warning, deploy=True)
def check_error_endpoint_is_off() -> Iterator[Finding]:
    """Find a deployment in which everyone can cause an error."""
    if conf.DOCKERFLOW_ERROR_ENDPOINT:
        yield Finding(
            "DOCKERFLOW_ERROR_ENDPOINT is on: whoever reaches /__error__ causes an error, and a "
            "report of it.",
            "Turn it on only while you test the reporting of errors.",
        )
