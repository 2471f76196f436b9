"""Tell Django of the app."""

from django.apps import AppConfig


class DockerflowConfig(AppConfig):
    """The app; its label is python-dockerflow's, so that nothing else has to change."""

    name = "dockerflow_django"
    label = "dockerflow"
    verbose_name = "Dockerflow"

    def ready(self) -> None:
        """Connect what listens: system checks, log lines about health, webhooks, the metrics."""
        from dockerflow_django import health_log, metrics, system_checks, webhooks  # noqa: F401
        from dockerflow_django.page import changes  # noqa: F401

        metrics.start_with_first_request()
