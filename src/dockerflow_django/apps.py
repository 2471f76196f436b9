"""Tell Django of the app."""

from django.apps import AppConfig


class DockerflowConfig(AppConfig):
    """The app; its label is python-dockerflow's, so that nothing else has to change."""

    name = "dockerflow_django"
    label = "dockerflow"
    verbose_name = "Dockerflow"

    def ready(self) -> None:
        """Connect what listens: system checks, the log lines about health, the webhooks."""
        from dockerflow_django import health_log, system_checks, webhooks  # noqa: F401 - they register
