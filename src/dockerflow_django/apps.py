"""The app, as Django configures it."""

from typing import Any

import django
from django.apps import AppConfig

__all__ = ["DockerflowConfig"]


class DockerflowConfig(AppConfig):
    """The app; its label is python-dockerflow's, so that nothing else has to change."""

    name = "dockerflow_django"
    label = "dockerflow"
    verbose_name = "Dockerflow"

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        from dockerflow_django.metrics import workers

        # Models may measure themselves; they are imported after this.
        workers.survive_full_disk()

    def ready(self) -> None:
        """Register the system checks, and connect what listens to signals."""
        from django.db.backends.signals import connection_created

        from dockerflow_django import system_checks  # noqa: F401 - registers itself
        from dockerflow_django.heartbeat import listeners
        from dockerflow_django.metrics import starting
        from dockerflow_django.webhooks import listening

        listeners.connect(listeners.evaluated, "dockerflow_django.heartbeat.log.log_changes")
        listeners.connect(listeners.evaluated, "dockerflow_django.endpoints.page.changes.note")
        listening.connect()
        starting.start_with_first_request()
        # An asynchronous test has a connection before it has a middleware, in another thread.
        listeners.connect(connection_created, "dockerflow_django.summary.queries.count_on")
        if django.VERSION >= (6, 0):  # pragma: newer Django
            from django.tasks.signals import task_finished, task_started

            listeners.connect(task_started, "dockerflow_django.tasks.django_tasks.start")
            listeners.connect(task_finished, "dockerflow_django.tasks.django_tasks.finish")


def __getattr__(name: str) -> Any:
    """Find the class by python-dockerflow's name too; as a second attribute, Django finds two."""
    if name == "DockerFlowAppConfig":
        return DockerflowConfig
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
