"""Granian's server of processes as far as it starts its workers, which answer this process.

Granian names no class and no method for its workers, its loop and its respawning that a program may
replace. What is overridden here, and in ``server``, begins with an underscore in Granian, so
`tests/serve/test_granian` compares each with what these modules were written for.
"""

import contextlib
import functools
import gc
import multiprocessing
from collections.abc import Iterator
from typing import Any

from django.db import connections
from granian.constants import Interfaces
from granian.errors import FatalError
from granian.server.mp import MPServer

from dockerflow_django.serve.output import flush_or_lose
from dockerflow_django.serve.preparation import FailedError
from dockerflow_django.serve.process import Process, try_fork
from dockerflow_django.serve.worker import enter_forked, enter_spawned, load
from dockerflow_django.supervisor.container import Container

# Granian configures logging anew in every process, which closes the handlers of everybody else.
# Told so, it leaves them alone, and its records go where the project's LOGGING sends them.
PROJECT_LOGGING = {"incremental": True, "handlers": {}, "loggers": {}}


class StartingServer(MPServer):
    """Granian, with workers that answer this process."""

    # Set before `serve`: Granian's own command builds the server, and knows nothing of it.
    container: Container
    wrks: "list[Process]"  # type: ignore[assignment]  # `_spawn_worker` makes them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["log_dictconfig"] = kwargs.get("log_dictconfig") or PROJECT_LOGGING
        super().__init__(*args, **kwargs)

    @property
    def graceful_seconds(self) -> float:
        """How long what is in flight is waited for."""
        return float(self.workers_kill_timeout or 0)

    def serve(self, *args: Any, **kwargs: Any) -> None:
        """Serve until a signal comes, and what was in flight then has been answered.

        Raises `FailedError`.
        """
        loader = functools.partial(
            load,
            self.target,
            self.working_dir,
            factory=self.factory,
            interface=self.interface,
            address=str(self.bind_uds) if self.bind_uds else (self.bind_addr, self.bind_port),
        )
        # A worker's first full collection would write to all that it shares with this process, and
        # so copy it: 8 MiB. https://docs.python.org/3/library/gc.html#gc.freeze
        gc.freeze()
        # A fork shares what is loaded here and starts at once; new code needs a new interpreter.
        with start_method("spawn" if self.reload_on_changes else "fork"):
            try:
                super().serve(target_loader=loader, wrap_loader=False)
            except FatalError as error:
                raise FailedError(_first_line(error)) from error

    def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start as Granian does. Raises `FailedError`."""
        connections.close_all()  # a forked worker must not share one
        try:
            super().startup(*args, **kwargs)
        # Granian's own words for what cannot be opened are of any of these kinds.
        except (OSError, RuntimeError, ValueError, OverflowError) as error:
            for worker in self.wrks:
                worker.kill()
            raise FailedError(f"the server cannot be started: {_first_line(error)}") from error

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        """Start all workers, or none: a start that fails ends `serve`."""
        try:
            for idx in range(self.workers):
                self.wrks.append(self._start_worker(idx, spawn_target, target_loader))
        except WorkerStartError as error:
            for worker in self.wrks:
                worker.kill()
            raise FailedError(str(error)) from error

    def _start_worker(self, idx: int, spawn_target: Any, target_loader: Any) -> "Process":
        """Start a worker. Raises `WorkerStartError`, and leaves nothing of it."""
        worker: Process | None = None
        try:
            flush_or_lose()
            try_fork()
            worker = self._spawn_worker(idx, spawn_target, target_loader)
            worker.start()
        except (OSError, RuntimeError) as error:  # no process, no descriptor, no thread
            if worker is not None:
                worker.abandon()
                self.container.remove(worker.known)
            text = getattr(error, "strerror", None) or error
            raise WorkerStartError(f"Worker {idx + 1} cannot be started: {text}") from error
        return worker

    def _spawn_worker(  # type: ignore[override]  # as Granian's own two servers have it
        self, idx: int, target: Any, callback_loader: Any
    ) -> "Process":
        known = self.container.pool.add(idx + 1)
        threads = self.blocking_threads if self.interface == Interfaces.WSGI else None
        rest = (threads, self.graceful_seconds)
        if self.reload_on_changes:
            entry = functools.partial(enter_spawned, target, known.worker_end, *rest)
        else:
            entry = functools.partial(enter_forked, target, known, self.container, *rest)
        worker: Any = super()._spawn_worker(idx, entry, callback_loader)
        # Granian names the class itself, and offers no other way in.
        worker.__class__ = Process
        worker.known = known
        known.process = worker.inner
        return worker  # type: ignore[no-any-return]


class WorkerStartError(Exception):
    """A worker cannot be started now; the text says why."""


def _first_line(error: Exception) -> str:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return str(text).splitlines()[0]


@contextlib.contextmanager
def start_method(name: str) -> Iterator[None]:
    """Have processes started so by `multiprocessing` meanwhile."""
    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(name, force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)
