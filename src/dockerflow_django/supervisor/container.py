"""One container: the probe port, the webhooks, the drain and the metrics of dead workers.

`serve` and the hooks for Gunicorn assemble nothing themselves: each makes a `Container`, tells it
of its workers' births and deaths, and asks it to drain.
"""

import time

from dockerflow_django.client import drain_marker
from dockerflow_django.metrics import workers
from dockerflow_django.supervisor.answers import ContainerAnswers
from dockerflow_django.supervisor.channel import VERSION
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.probe_port import ProbePort, ProbePortError, open_probe_port
from dockerflow_django.supervisor.probes import ContainerProbes
from dockerflow_django.supervisor.settings import ContainerSettings
from dockerflow_django.webhooks.container import ContainerWebhooks

VERSION_SECONDS = 1.0


class ContainerError(Exception):
    """The container cannot be started; the text says why."""


class Container:
    """What a supervisor keeps beside its server."""

    def __init__(self, settings: ContainerSettings) -> None:
        self.settings = settings
        self.probes = ContainerProbes(settings.silent_seconds, settings.start_seconds)
        self.pool = self.probes.pool
        self.answers = ContainerAnswers(self.probes, settings)
        self.probe_port: ProbePort | None = None
        self.webhooks: ContainerWebhooks | None = None

    @property
    def problem(self) -> str:
        """Why nothing was served at all, empty if something was or nobody has said."""
        return "" if self.probes.has_served else self.pool.problem

    def start(self) -> None:
        """Open the probe port and send webhooks from now on.

        Raises `ContainerError`, of which a webhook tells, and leaves nothing open.
        """
        if self.settings.webhook_url is not None:
            self.webhooks = ContainerWebhooks(
                self.settings.webhook_url, self.settings.webhook_secret, self._ask_version
            )
            self.probes.on_change = self.webhooks.on_change
        try:
            # The port first: of two containers the second must not touch the first one's files.
            self._open_probe_port()
            _empty_metrics_folder()
        except ContainerError as error:
            self.stop(str(error))
            raise
        self.probes.start()

    def change(self, settings: ContainerSettings) -> None:
        """Go on by these settings, but for the probe port and webhooks."""
        self.settings = self.answers.settings = settings
        self.probes.silent_seconds = settings.silent_seconds
        self.probes.start_seconds = settings.start_seconds

    def remove(self, worker: Worker) -> None:
        """Forget a worker that has ended, and what it alone had measured."""
        self.pool.remove(worker)
        if worker.pid is not None:
            try:
                workers.mark_dead(worker.pid)
            except OSError as error:
                self.probes.log.warning("The gauges of worker %s stay: %s", worker.number, error)

    def drain(self) -> float:
        """Have readiness fail, and return how many seconds of the drain are left.

        They count from whoever began it: this call, or who left the marker.
        """
        path = self.settings.drain_path
        self.pool.drain()
        began = None if path is None else drain_marker.draining_since(path)
        gone = 0.0 if began is None else time.monotonic() - began
        return max(0.0, self.settings.drain_seconds - gone)

    def stop(self, problem: str = "") -> None:
        """Free the port, and wait a little for the last webhook.

        A `problem` is why nothing is served.
        """
        if self.webhooks is not None:
            self.webhooks.close(problem)
        if self.probe_port is not None:
            self.probe_port.stop()
        self.pool.stop()

    def _open_probe_port(self) -> None:
        if (port := self.settings.probe_port) is None:
            return
        try:
            self.probe_port = open_probe_port(self.settings.probe_host, port, self.answers)
        except ProbePortError as error:
            raise ContainerError(str(error)) from error

    def _ask_version(self) -> str | None:
        for worker in self.pool.workers:
            if worker.is_serving and not self.probes.is_silent(worker):
                question = self.pool.ask(worker, VERSION)
                if question.is_over.wait(VERSION_SECONDS) and question.answer is not None:
                    version: str | None = question.answer.get("version")
                    return version
        return None


def _empty_metrics_folder() -> None:
    try:
        workers.prepare_folder()
    except OSError as error:
        text = f"{workers.VARIABLE}: {error.strerror}: {error.filename}"
        raise ContainerError(text) from error
