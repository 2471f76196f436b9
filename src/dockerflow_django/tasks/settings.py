"""A background worker does not start on wrong settings, as `serve` does not."""

import logging

from dockerflow_django.supervisor.settings import findings, log_findings
from dockerflow_django.tasks.probes import ProbesError

logger = logging.getLogger("dockerflow_django.tasks")


def check_settings() -> None:
    """Run the app's system checks, and log what they find.

    Raises `ProbesError` if one of them is an error: with a default in the place of a wrong value
    nobody would answer where the probes are asked.
    """
    errors, others = findings()
    log_findings(logger, errors, others)
    if errors:
        raise ProbesError("the settings are wrong, see above")
