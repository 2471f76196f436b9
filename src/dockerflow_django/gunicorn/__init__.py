"""Gunicorn's hooks: the probe port, the drain, the webhooks, and the end of dead workers' metrics.

In ``gunicorn.conf.py``::

    from dockerflow_django.gunicorn import *

The arbiter loads neither the project nor its settings, so that a reload brings new ones. A child
that lives for a moment loads them, runs the app's system checks, and hands the values over.

.. versionadded:: 0.1
"""

import os
import sys
from typing import Any

from dockerflow_django.gunicorn.arbiter import Arbiter
from dockerflow_django.gunicorn.worker_classes import (
    StartError,
    refuse_patched_arbiter,
    refuse_unknown_worker,
    threads_of,
    when_served,
)
from dockerflow_django.supervisor.channel import WorkerChannel
from dockerflow_django.supervisor.container import ContainerError
from dockerflow_django.supervisor.settings import ContainerSettings
from dockerflow_django.supervisor.settings_child import SettingsError, read_in_child

__all__ = [
    "child_exit",
    "on_exit",
    "on_reload",
    "on_starting",
    "post_fork",
    "post_worker_init",
    "pre_fork",
    "when_ready",
]


def on_starting(server: Any) -> None:
    """In the arbiter, before it starts: read the settings and open the probe port.

    If the settings have an error, the worker class is not supported or the port is taken, Gunicorn
    logs one line and ends with status 1.
    """
    try:
        refuse_patched_arbiter()
        refuse_unknown_worker(server.worker_class)
        settings = _read_settings(server)
        _arbiter.start(server, settings)
    except (StartError, SettingsError, ContainerError) as error:
        server.log.critical("Not serving: %s", error)
        sys.exit(1)


def when_ready(server: Any) -> None:
    """In the arbiter, when it listens: from now on SIGTERM drains first."""
    _arbiter.take_over()


def on_reload(server: Any) -> None:
    """In the arbiter, at a reload: read the settings anew.

    A new probe port or webhook needs a restart. If the settings have an error, it is logged and
    they stay as they are.
    """
    try:
        _arbiter.container.change(_read_settings(server))
    except SettingsError as error:
        server.log.error("The settings stay as they are: %s", error)  # noqa: TRY400 - it says all


def pre_fork(server: Any, worker: Any) -> None:
    """In the arbiter, before it forks a worker: open the channel to that worker."""
    known = _arbiter.container.pool.add(worker.age)
    known.process = worker
    worker.dockerflow = _arbiter.forking = _arbiter.spawning = known


def post_fork(server: Any, worker: Any) -> None:
    """In a new worker: answer the arbiter's pings from now on."""
    if _arbiter.container.probe_port is not None:
        _arbiter.container.probe_port.close_in_child()
    channel: WorkerChannel = worker.dockerflow.enter()
    channel.is_stopping = lambda: not worker.alive
    # What a full threaded worker does: it ends a connection with its answer, and keeps none.
    channel.on_drain = lambda: setattr(worker, "max_keepalived", 0)
    channel.attach()
    worker.dockerflow_channel = channel


def post_worker_init(worker: Any) -> None:
    """In a worker that has loaded the application: import the URLconf, and tell that it serves.

    An ASGI worker serves when the application's lifespan has started. If the URLconf cannot be
    imported, the arbiter is told why and Gunicorn ends with status 3.
    """
    from dockerflow_django.supervisor.worker import UrlconfError, import_urlconf, serve_questions

    channel: WorkerChannel = worker.dockerflow_channel
    try:
        import_urlconf()
    except UrlconfError as error:
        channel.report_problem(str(error))
        raise

    def say_that_it_serves() -> None:
        serve_questions(channel, worker_threads=threads_of(worker))

    when_served(worker, say_that_it_serves, channel.report_failed_lifespan)


def child_exit(server: Any, worker: Any) -> None:
    """In the arbiter, when a worker has ended: forget it, and remove its gauges."""
    _arbiter.container.remove(worker.dockerflow)


def on_exit(server: Any) -> None:
    """In the arbiter, before it ends: close the probe port, and send the last webhook.

    If nothing was served, it logs why.
    """
    _arbiter.ending.cancel()
    problem = _arbiter.container.problem
    if problem:
        server.log.critical("Not serving: %s", problem)
    _arbiter.container.stop(problem)


def _read_settings(server: Any) -> ContainerSettings:
    return read_in_child(lambda: _load_project(server), server.log)


def _load_project(server: Any) -> None:
    """Load the settings; which they are may be known to the application's module alone."""
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        server.app.wsgi()
    import django

    django.setup()


_arbiter = Arbiter()
os.register_at_fork(after_in_parent=_arbiter.forked)
