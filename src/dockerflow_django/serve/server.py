"""Granian's server of processes, made to drain before it stops."""

import contextlib
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from django.db import connections
from granian._internal import load_target
from granian.constants import Interfaces
from granian.server.mp import MPServer, WorkerProcess

from dockerflow_django.conf import conf
from dockerflow_django.serve.application import Asgi, Wsgi
from dockerflow_django.serve.stop import StopRequests, held_back, leave_group
from dockerflow_django.supervisor.channel import Member, Post, enter
from dockerflow_django.supervisor.probe_port import ProbePort
from dockerflow_django.supervisor.probes import CrewProbes
from dockerflow_django.supervisor.worker import attend

# The first signal begins the drain, the second ends it, this one waits for nothing more.
CUTTING = 3

logger = logging.getLogger("dockerflow_django.serve")


# Granian configures logging anew in every process, which closes the handlers of everybody else.
# Told so, it leaves them alone, and its records go where the project's LOGGING sends them.
PROJECT_LOGGING = {"incremental": True, "handlers": {}, "loggers": {}}


class Server(MPServer):
    """Granian, with workers that answer this process, and an interrupt that drains first."""

    # Set before `serve`: Granian's own command builds the server, and knows nothing of these.
    stop_requests: StopRequests
    probes: CrewProbes
    probe_port: ProbePort | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["log_dictconfig"] = kwargs.get("log_dictconfig") or PROJECT_LOGGING
        super().__init__(*args, **kwargs)

    def serve(self, *args: Any, **kwargs: Any) -> None:
        """Serve until a signal comes, and what was in flight then has been answered."""
        loader = functools.partial(
            _load, self.target, self.working_dir, factory=self.factory, interface=self.interface
        )
        # A fork shares what is loaded here and starts at once; new code needs a new interpreter.
        with _start_method("spawn" if self.reload_on_changes else "fork"):
            super().serve(target_loader=loader, wrap_loader=False)

    def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start as Granian does, then wait for signals in a thread: the drain takes its time."""
        connections.close_all()  # a forked worker must not share one
        super().startup(*args, **kwargs)
        threading.Thread(target=self._await_stop, name="dockerflow-stop", daemon=True).start()

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGTERM and SIGINT to the thread: see `StopRequests`."""

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGHUP to it too."""

    def _await_stop(self) -> None:
        while self.stop_requests.wait(also=signal.SIGHUP) == signal.SIGHUP:
            super().signal_handler_reload()
        self._drain()
        super().signal_handler_interrupt()
        while self.stop_requests.count < CUTTING:
            self.stop_requests.wait()
        logger.warning("Asked to stop once more: what is in flight is cut.")
        for worker in list(self.wrks):
            worker.kill()

    def _drain(self) -> None:
        seconds = self.probes.drain(conf.DOCKERFLOW_DRAIN_SECONDS, conf.DOCKERFLOW_DRAIN_PATH)
        logger.info(
            "Draining: readiness fails and connections are closed, for %.1f s. "
            "Signal again to skip this.",
            seconds,
        )
        if seconds and self.stop_requests.wait(seconds) is not None:
            logger.info("Asked to hurry: only what is in flight is waited for.")

    def _spawn_worker(  # type: ignore[override]  # as Granian's own two servers have it
        self, idx: int, target: Any, callback_loader: Any
    ) -> WorkerProcess:
        member = self.probes.crew.hire(idx + 1)
        threads = self.blocking_threads if self.interface == Interfaces.WSGI else None
        if self.reload_on_changes:
            entry = functools.partial(_enter, target, Post(member.post), threads)
        else:
            entry = functools.partial(_enter_forked, target, member, threads, self.probe_port)
        worker: Any = super()._spawn_worker(idx, entry, callback_loader)
        # Granian names the class itself, and offers no other way in.
        worker.__class__ = _Worker
        worker.member = member
        member.process = worker.inner
        return worker  # type: ignore[no-any-return]


class _Worker(WorkerProcess):
    """A worker that is in no other's process group from its start on, and whose end is noticed."""

    member: Member
    parent: Server

    def start(self) -> None:
        """Fork with the signals held back: they are the parent's until the worker has its own."""
        with held_back():
            super().start()
            pid = self.inner.pid
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)  # whoever is first: the worker does the same
            self.parent.probes.crew.forked(self.member)

    def _watcher(self) -> None:
        super()._watcher()
        self.parent.probes.gone(self.member)
        _forget_metrics_of(self.inner.pid)


def _enter_forked(
    target: Callable[..., None],
    member: Member,
    threads: int | None,
    probe_port: ProbePort | None,
    *args: Any,
) -> None:
    """Run in a forked worker: let go of what is the parent's."""
    if probe_port is not None:
        probe_port.close_in_child()
    _enter(target, enter(member), threads, *args)


def _enter(target: Callable[..., None], post: Post, threads: int | None, *args: Any) -> None:
    """Run in the worker: begin as a process that a signal to the parent's group misses."""
    leave_group()
    attend(post, worker_threads=threads, is_loaded=_loaded.is_set)
    target(*args)


def _load(target: str, folder: Path | None, *, factory: bool, interface: Interfaces) -> Any:
    application: Any = load_target(target, wd=folder, factory=factory)
    _loaded.set()
    return Wsgi(application) if interface == Interfaces.WSGI else Asgi(application)


# Forked from a parent that has Django loaded, a worker may still lack its URLs and views.
_loaded = threading.Event()


def _forget_metrics_of(pid: int) -> None:
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ and "prometheus_client" in sys.modules:
        from dockerflow_django.metrics.workers import mark_dead

        mark_dead(pid)


@contextlib.contextmanager
def _start_method(name: str) -> Any:
    import multiprocessing

    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(name, force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)
