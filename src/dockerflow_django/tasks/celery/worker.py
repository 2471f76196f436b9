"""The bootsteps of a worker: they answer the probes from the worker's main process."""

import atexit
import logging
import sys
import threading
from typing import Any

from celery import bootsteps, signals
from celery.worker import state
from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health, lifecycle
from dockerflow_django.tasks.celery import stages
from dockerflow_django.tasks.celery.broker import BrokerWatch
from dockerflow_django.tasks.celery.liveness import LoopWatch
from dockerflow_django.tasks.celery.requests import observe_tasks
from dockerflow_django.tasks.metrics import count
from dockerflow_django.tasks.probes import ProbesError, WorkerProbes
from dockerflow_django.tasks.settings import check_settings
from dockerflow_django.webhooks.process import own_sender

logger = logging.getLogger("dockerflow_django.tasks")


class DockerflowStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Start after the pool, so that its first processes inherit nothing, and before the consumer.

    When the worker stops, the probes are answered until the last task has ended.
    """

    label = "Dockerflow"
    requires = ("celery.worker.components:Pool",)

    def __init__(self, worker: Any, **kwargs: Any) -> None:
        """Leave the place where `LoopStep` looks."""
        worker.dockerflow = None
        super().__init__(worker, **kwargs)

    def start(self, worker: Any) -> None:
        """Check the settings, observe the tasks, and answer the probes."""
        try:
            check_settings()
            observe_tasks(worker.app, count, in_greenlets=worker.pool_cls.is_green)
            if stages.are_probes_wanted() and _is_own_process(worker):
                worker.dockerflow = _answer_probes(worker)
        except ProbesError as error:
            logger.critical("The worker does not start: %s", error)
            own_sender.fail_startup("worker", str(error))
            sys.exit(1)

    def close(self, worker: Any) -> None:
        """Be no longer ready, whatever stops the worker: ``control.shutdown()`` sends no signal."""
        if worker.dockerflow is not None:
            worker.dockerflow.drain()

    def stop(self, worker: Any) -> None:
        """Answer on."""

    def terminate(self, worker: Any) -> None:
        """Answer on."""


class LoopStep(bootsteps.StartStopStep):  # type: ignore[misc]
    """Start with each connection of the consumer, before its loop."""

    label = "Dockerflow"
    requires = ("celery.worker.consumer.connection:Connection",)

    def start(self, consumer: Any) -> None:
        """Watch the loop that is about to begin."""
        if consumer.controller.dockerflow is not None:
            consumer.controller.dockerflow.watch_loop()


def _is_own_process(worker: Any) -> bool:
    """Tell whether the process is the worker's: in a test's, a thread starts and stops a worker."""
    is_in_main_thread = threading.current_thread() is threading.main_thread()
    return is_in_main_thread or worker.pool_cls.is_green  # eventlet hides the main thread


def _answer_probes(worker: Any) -> "WorkerHealth":
    found = WorkerHealth(worker)
    found.start()
    if getattr(worker, "beat", None) is not None:
        logger.warning(
            "The probes of this worker do not judge its embedded beat (-B): "
            "run `celery beat` as a process of its own."
        )
    return found


class WorkerHealth:
    """What the probes of a worker say."""

    def __init__(self, worker: Any) -> None:
        self._worker = worker
        self._is_ready = False
        self._broker = BrokerWatch(worker.app)
        self._loop = LoopWatch(worker, self._broker, self._is_busy)
        self._probes = WorkerProbes("worker", liveness=self.liveness, readiness=self.readiness)

    def start(self) -> None:
        """Answer from now on."""
        self._probes.start()
        self._broker.start()
        signals.worker_ready.connect(self._on_ready, weak=False)
        signals.worker_shutting_down.connect(self.drain, weak=False)
        self._drain_before_soft_shutdown()
        signals.worker_shutdown.connect(self._on_shutdown, weak=False)
        atexit.register(self._on_shutdown)

    def watch_loop(self) -> None:
        """Watch the consumer's loop, which begins anew with each connection."""
        self._loop.watch()

    def drain(self, **kwargs: Any) -> None:
        """Be no longer ready: inside a signal handler, so no lock may be waited for."""
        lifecycle.process.drain()

    def liveness(self) -> list[CheckMessage]:
        """Ask whether the consumer's loop turns; a worker that stops needs no loop."""
        return [] if lifecycle.process.is_draining else self._loop.messages()

    def readiness(self) -> list[CheckMessage]:
        """Ask whether the worker takes tasks."""
        if not self._is_ready or not self._broker.is_asked:
            sentence = "Starting: the worker does not take tasks yet."
            return [checks.Info(sentence, id=health.INFO_STARTING)]
        if self._broker.answers_since is None:
            sentence = "The Celery broker cannot be reached."
            return [checks.Error(sentence, id=health.ERROR_CELERY_BROKER)]
        if self._worker.consumer.connection is None and not lifecycle.process.is_draining:
            sentence = "The worker has lost its broker, and waits before it tries again."
            return [checks.Error(sentence, id=health.ERROR_CELERY_BROKER)]
        return []

    def _is_busy(self) -> bool:
        """Tell whether a task holds up the loop: in its thread, or while it waits for a process."""
        return bool(state.active_requests) and (
            self._worker.pool_cls.__module__.endswith(".solo") or self._worker.hub is None
        )

    def _on_ready(self, **kwargs: Any) -> None:
        self._is_ready = True
        self._probes.refresh()

    def _drain_before_soft_shutdown(self) -> None:
        """Drain when SIGQUIT comes: Celery sends its signal after the soft shutdown's pause."""
        wait = self._worker.wait_for_soft_shutdown

        def wait_draining() -> None:
            self.drain()
            wait()

        # On the instance: a project's own worker class has its own method.
        self._worker.wait_for_soft_shutdown = wait_draining

    def _on_shutdown(self, **kwargs: Any) -> None:
        atexit.unregister(self._on_shutdown)
        self._broker.stop()
        self._probes.stop()
