"""Tell Django of the app."""

from typing import Any

import django
from django.apps import AppConfig

__all__ = ["DockerflowConfig"]


class DockerflowConfig(AppConfig):
    """The app; its label is python-dockerflow's, so that nothing else has to change."""

    name = "dockerflow_django"
    label = "dockerflow"
    verbose_name = "Dockerflow"

    def ready(self) -> None:
        """Connect what listens: system checks, log lines, webhooks, metrics, tasks."""
        from dockerflow_django import metrics, system_checks  # noqa: F401
        from dockerflow_django.endpoints.page import changes  # noqa: F401
        from dockerflow_django.heartbeat import log  # noqa: F401
        from dockerflow_django.webhooks import process  # noqa: F401

        metrics.start_with_first_request()
        if django.VERSION >= (6, 0):
            from dockerflow_django.tasks import django_tasks

            django_tasks.connect()


def __getattr__(name: str) -> Any:
    """Find the class by python-dockerflow's name too; as a second attribute, Django finds two."""
    if name == "DockerFlowAppConfig":
        return DockerflowConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
