"""Gunicorn's hooks: the probe port, the drain, and the end of dead workers' metrics.

In ``gunicorn.conf.py``::

    from dockerflow_django.gunicorn import *

The arbiter loads neither Django nor the project's settings, so that a reload brings new ones; the
hooks read their own from its environment: ``DOCKERFLOW_PROBE_PORT``, ``DOCKERFLOW_PROBE_HOST``,
``DOCKERFLOW_DRAIN_PATH``, ``DOCKERFLOW_DRAIN_SECONDS``, ``DOCKERFLOW_CHECK_TIMEOUT``,
``DOCKERFLOW_WEBHOOK_URL`` and ``DOCKERFLOW_WEBHOOK_SECRET``, with ``_FILE`` for the last two.

.. versionadded:: 0.1
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, TypeVar

from dockerflow_django.conf import Conf, Setting
from dockerflow_django.supervisor.channel import Member, enter
from dockerflow_django.supervisor.probe_port import ProbePort
from dockerflow_django.supervisor.probes import CrewProbes
from dockerflow_django.webhooks.container import ContainerWebhooks

__all__ = ["child_exit", "on_exit", "on_starting", "post_fork", "pre_fork", "when_ready"]

T = TypeVar("T")


def on_starting(server: Any) -> None:
    """Open the probe port before anything else: a taken one ends the start."""
    _arbiter.probes.log = server.log  # the arbiter has no other
    try:
        _arbiter.start()
    except OSError as error:
        server.log.critical("Not serving: the probe port: %s", error.strerror or error)
        sys.exit(1)


def when_ready(server: Any) -> None:
    """Have SIGTERM drain first."""
    _arbiter.take_over(server)


def pre_fork(server: Any, worker: Any) -> None:
    """Open a line to the worker."""
    worker.dockerflow = _arbiter.hired = _arbiter.probes.crew.hire(worker.age)
    worker.dockerflow.process = worker


def post_fork(server: Any, worker: Any) -> None:
    """Answer the arbiter, in the worker."""
    if _arbiter.probe_port is not None:
        _arbiter.probe_port.close_in_child()

    def close_connections() -> None:
        # What a full threaded worker does: it ends a connection with its answer, and keeps none.
        worker.max_keepalived = 0

    from dockerflow_django.supervisor.worker import attend

    attend(enter(worker.dockerflow), worker_threads=_threads_of(worker), on_drain=close_connections)


def child_exit(server: Any, worker: Any) -> None:
    """Forget a worker that has ended, and what it alone had counted."""
    _arbiter.probes.gone(worker.dockerflow)
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        from dockerflow_django.metrics.workers import mark_dead

        mark_dead(worker.pid)


def on_exit(server: Any) -> None:
    """Free the probe port, and let the last webhook out."""
    _arbiter.stop()


class _Arbiter:
    """What the hooks keep in the arbiter."""

    def __init__(self) -> None:
        self.probes = CrewProbes(_read(Conf.DOCKERFLOW_CHECK_TIMEOUT))
        self.probe_port: ProbePort | None = None
        self.webhooks: ContainerWebhooks | None = None
        self.hired: Member | None = None
        self._drains = threading.Event()

    def start(self) -> None:
        url = _read(Conf.DOCKERFLOW_WEBHOOK_URL)
        if url is not None:
            secret = _read(Conf.DOCKERFLOW_WEBHOOK_SECRET)
            self.webhooks = ContainerWebhooks(url, secret, self.probes)
        port = _read(Conf.DOCKERFLOW_PROBE_PORT)
        if port is not None:
            host = _read(Conf.DOCKERFLOW_PROBE_HOST)
            self.probe_port = ProbePort(host, port, self.probes.answer)
            self.probe_port.start()

    def forked(self) -> None:
        """Do what the parent does after the fork, for which Gunicorn has no hook."""
        if self.hired is not None:
            self.probes.crew.forked(self.hired)
            self.hired = None

    def take_over(self, server: Any) -> None:
        stop = server.handle_term

        def drain_then_stop() -> None:
            if self._drains.is_set():
                stop()
            self._drains.set()
            threading.Thread(target=self._drain, args=(server,), daemon=True).start()

        # The arbiter looks its handlers up by name, on itself, whenever a signal comes.
        server.handle_term = drain_then_stop
        if self.webhooks is not None:
            self.webhooks.watch_startup()

    def stop(self) -> None:
        if self.probe_port is not None:
            self.probe_port.stop()
        if self.webhooks is not None:
            self.webhooks.close()

    def _drain(self, server: Any) -> None:
        path = _read(Conf.DOCKERFLOW_DRAIN_PATH)
        seconds = self.probes.drain(_read(Conf.DOCKERFLOW_DRAIN_SECONDS), path)
        server.log.info("Draining for %.1f s: readiness fails. Signal again to skip this.", seconds)
        time.sleep(seconds)
        os.kill(os.getpid(), signal.SIGTERM)


def _threads_of(worker: Any) -> int | None:
    """Return how many requests the worker runs at once; of an event loop nobody can tell."""
    name = type(worker).__name__
    if name == "SyncWorker":
        return 1
    return int(worker.cfg.threads) if name == "ThreadWorker" else None


def _read(setting: Setting[T]) -> T:
    """Read a setting from the environment alone; a wrong value counts as absent."""
    raw: object = os.environ.get(setting.name, setting.default)
    if setting.secret and f"{setting.name}_FILE" in os.environ and setting.name not in os.environ:
        raw = Path(os.environ[f"{setting.name}_FILE"]).read_text(encoding="utf-8").strip()
    try:
        return setting.cast(raw)
    except ValueError:
        return setting.cast(setting.default)


_arbiter = _Arbiter()
os.register_at_fork(after_in_parent=_arbiter.forked)
