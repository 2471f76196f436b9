"""System checks of the app's own configuration, under the tag ``dockerflow``.

They judge settings, URLs, middleware and logging. They ask no service, and what is broken
elsewhere, like a URLconf that does not import, is left to Django's own checks.

A process that serves runs none of them, so the rules are imported when Django asks.
"""

from typing import Any

from django.core.checks import CheckMessage, register

TAG = "dockerflow"


@register(TAG)
def check_configuration(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Judge the app's configuration."""
    from dockerflow_django.system_checks.rules import run

    return run(deploy=False)


@register(TAG, deploy=True)
def check_deployment(app_configs: object, **kwargs: Any) -> list[CheckMessage]:
    """Judge what matters in production alone."""
    from dockerflow_django.system_checks.rules import run

    return run(deploy=True)
