"""What a supervisor needs to know of the project's settings: one reader for every supervisor.

Only the functions import Django: Gunicorn's arbiter has another process call them, because what is
imported before a worker of gevent patches the standard library stays unpatched.
"""

import logging
from dataclasses import dataclass


@dataclass(frozen=True)
class ContainerSettings:
    """The values, which another process may have read."""

    probe_host: str
    probe_port: int | None
    shows_details: bool
    token: str | None
    silent_seconds: float
    start_seconds: float
    drain_path: str | None
    drain_seconds: float
    webhook_url: str | None
    webhook_secret: str | None


def read_settings() -> ContainerSettings:
    """Read the values; the settings must be configured."""
    from dockerflow_django.conf import conf
    from dockerflow_django.endpoints.details import are_allowed_without_request
    from dockerflow_django.webhooks.receiver import configured_receiver

    webhook_url, webhook_secret = configured_receiver() or (None, None)
    return ContainerSettings(
        probe_host=conf.DOCKERFLOW_PROBE_HOST,
        probe_port=conf.DOCKERFLOW_PROBE_PORT,
        shows_details=are_allowed_without_request(None),
        token=conf.DOCKERFLOW_HEARTBEAT_TOKEN,
        silent_seconds=conf.DOCKERFLOW_WORKER_SILENT_SECONDS,
        start_seconds=conf.DOCKERFLOW_WORKER_START_SECONDS,
        drain_path=conf.DOCKERFLOW_DRAIN_PATH,
        drain_seconds=conf.DOCKERFLOW_DRAIN_SECONDS,
        webhook_url=webhook_url,
        webhook_secret=webhook_secret,
    )


def findings() -> tuple[list[str], list[str]]:
    """Run the app's system checks; return the errors and the rest, each on one line."""
    from django.core import checks

    from dockerflow_django.system_checks import TAG

    errors: list[str] = []
    others: list[str] = []
    for found in checks.run_checks(tags=[TAG]):
        if not found.is_silenced():
            line = f"{found.id}: {found.msg}" + (f" {found.hint}" if found.hint else "")
            (errors if found.level >= checks.ERROR else others).append(" ".join(line.split()))
    return errors, others


def log_findings(log: logging.Logger, errors: list[str], others: list[str]) -> None:
    """Log what `findings` returned, the errors last."""
    for line in others:
        log.warning("%s", line)
    for line in errors:
        log.error("%s", line)
