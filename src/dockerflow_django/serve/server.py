"""Granian's server of processes: its workers answer this process, and it drains before it stops.

Granian names no class and no method for its workers, its loop and its respawning that a program may
replace. What is overridden here begins with an underscore in Granian, so `tests/serve/test_granian`
compares each with what this module was written for.
"""

import contextlib
import functools
import gc
import logging
import os
import signal
import threading
import time
from typing import Any

from django.db import connections
from granian.constants import Interfaces
from granian.server.mp import MPServer

from dockerflow_django.serve.deaths import Deaths
from dockerflow_django.serve.preparation import FailedError
from dockerflow_django.serve.process import Process, try_fork
from dockerflow_django.serve.stop import StopRequests
from dockerflow_django.serve.worker import enter_forked, enter_spawned, load
from dockerflow_django.supervisor.container import Container

# The first signal begins the drain, the second ends it, this one waits for nothing more.
CUTTING = 3
LOOK_SECONDS = 0.05
# Before the next attempt to start a worker that this machine refuses.
RETRY_SECONDS = 1.0
# For Granian's own end, after the graceful timeout.
SPARE_SECONDS = 0.8

logger = logging.getLogger("dockerflow_django.serve")


# Granian configures logging anew in every process, which closes the handlers of everybody else.
# Told so, it leaves them alone, and its records go where the project's LOGGING sends them.
PROJECT_LOGGING = {"incremental": True, "handlers": {}, "loggers": {}}


class Server(MPServer):
    """Granian, with workers that answer this process and are replaced when they die."""

    # Set before `serve`: Granian's own command builds the server, and knows nothing of these.
    stop_requests: StopRequests
    container: Container
    problem: str = ""
    wrks: "list[Process]"  # type: ignore[assignment]  # `_spawn_worker` makes them

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        kwargs["log_dictconfig"] = kwargs.get("log_dictconfig") or PROJECT_LOGGING
        super().__init__(*args, **kwargs)
        self._deaths = Deaths()
        self._dead: list[Process] = []
        self._unreplaced: list[Process] = []
        self._retired: list[Process] = []

    def serve(self, *args: Any, **kwargs: Any) -> None:
        """Serve until a signal comes, and what was in flight then has been answered."""
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
        with _start_method("spawn" if self.reload_on_changes else "fork"):
            super().serve(target_loader=loader, wrap_loader=False)

    def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start as Granian does, then wait for signals in a thread: the drain takes its time.

        Raises `FailedError`.
        """
        connections.close_all()  # a forked worker must not share one
        try:
            super().startup(*args, **kwargs)
        except OSError as error:  # Granian opens what it needs for all workers first
            text = error.strerror or error
            raise FailedError(f"the server cannot be started: {text}") from error
        threading.Thread(target=self._await_stop, name="dockerflow-stop", daemon=True).start()

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers; one that dies meanwhile makes no failure of it."""
        self.wrks += [worker for worker in self._retired if worker.is_alive()]
        for worker in self.wrks:  # before Granian's first line: the log may be full
            worker.terminate()
        self.interrupt_children.clear()
        super().shutdown(exit_code)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGTERM and SIGINT to the thread: see `StopRequests`."""

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGHUP to it too."""

    def worker_ended(self, worker: "Process") -> None:
        """Note the end of a worker; one that nobody told to end is replaced."""
        self.container.remove(worker.known)
        if not worker.interrupt_by_parent and worker not in self._retired:
            logger.error(
                "Worker %d (pid %s) ended: %s.",
                worker.idx + 1,
                worker.inner.pid,
                worker.known.problem or worker.said,
            )
            self._dead.append(worker)
            self.main_loop_interrupt.set()

    def _await_stop(self) -> None:
        while self.stop_requests.wait(also=signal.SIGHUP) == signal.SIGHUP:
            super().signal_handler_reload()
        self._drain()
        super().signal_handler_interrupt()
        self._end_at_latest(0)
        while self.stop_requests.count < CUTTING:
            self.stop_requests.wait()
        logger.warning("Asked to stop once more: what is in flight is cut.")
        for worker in list(self.wrks):
            worker.kill()

    def _drain(self) -> None:
        seconds = self.container.drain()
        self._end_at_latest(seconds)
        logger.info(
            "Draining: readiness fails and connections are closed, for %.1f s. "
            "Signal again to skip this.",
            seconds,
        )
        if seconds and self.stop_requests.wait(seconds) is not None:
            logger.info("Asked to hurry: only what is in flight is waited for.")

    def _end_at_latest(self, seconds: float) -> None:
        """End after the drain and the graceful timeout, even if a log that is full blocks all."""
        seconds += (self.workers_kill_timeout or 0) + SPARE_SECONDS
        timer = threading.Timer(seconds, self._end_at_once)
        timer.daemon = True
        timer.start()

    def _end_at_once(self) -> None:
        for worker in list(self.wrks):
            worker.kill()
        os._exit(1 if self.problem else 0)

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        """Look after the workers. Granian's own loop gives up at the second death within seconds.

        It also forgets a signal that comes while it looks; here the event is cleared first.
        """
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait(RETRY_SECONDS if self._unreplaced else None)
            self.main_loop_interrupt.clear()
            self._note_dead()
            self._replace_dead(spawn_target, target_loader)
            if self.reload_signal:
                self.reload_signal = False
                logger.info("SIGHUP: replacing the workers.")
                self._respawn_workers(range(self.workers), spawn_target, target_loader)
            if self.lifetime_signal:
                self.lifetime_signal = False
                self._replace_old(spawn_target, target_loader)
            if self.rss_signal:
                self.rss_signal = False
                self._handle_rss_signal(spawn_target, target_loader)
                self._watch_workers_rss()

    def _note_dead(self) -> None:
        while self._dead and not self.interrupt_signal:
            dead = self._dead.pop(0)
            if dead not in self.wrks:
                continue
            problem = self._deaths.note(dead.idx + 1, dead.known.problem)
            if problem or (dead.known.problem and not self.container.probes.has_served):
                self._give_up(problem or dead.known.problem)
            self._unreplaced.append(dead)

    def _replace_dead(self, spawn_target: Any, target_loader: Any) -> None:
        """Start a successor for each that has died; one that cannot be started, a little later.

        A reload, or the end of a lifetime, may have replaced it in the meantime.
        """
        self._unreplaced = [dead for dead in self._unreplaced if dead in self.wrks]
        while self._unreplaced and not self.interrupt_signal:
            dead = self._unreplaced[0]
            try:
                new = self._start_worker(dead.idx, spawn_target, target_loader)
            except StartError as error:
                logger.error("%s. Trying again every %g s.", error, RETRY_SECONDS)  # noqa: TRY400
                return
            self._unreplaced.pop(0)
            self.wrks[self.wrks.index(dead)] = new

    def _replace_old(self, spawn_target: Any, target_loader: Any) -> None:
        """Replace the workers that have reached their lifetime, and wait for the next."""
        lifetime = float(self.workers_lifetime or 0)
        ages = {worker.idx: time.monotonic() - worker.birth for worker in self.wrks}
        old = [idx for idx, age in ages.items() if age >= 0.95 * lifetime]
        self._respawn_workers(old, spawn_target, target_loader)
        rest = [lifetime - age for idx, age in ages.items() if idx not in old]
        self._watch_workers_lifetime(max(60, int(min([lifetime, *rest]))))

    def _respawn_workers(
        self, workers: Any, spawn_target: Any, target_loader: Any, delay: float = 0
    ) -> None:
        """Replace workers one after the other, each when its successor serves."""
        for idx in workers:
            place = next(i for i, worker in enumerate(self.wrks) if worker.idx == idx)
            old = self.wrks[place]
            try:
                new = self._start_worker(idx, spawn_target, target_loader)
            except StartError as error:
                logger.error("%s: the old one stays.", error)  # noqa: TRY400
                return
            if not self._await_serving(new):
                new.terminate()
                self._retired.append(new)
                return
            self.wrks[place] = new
            self._retire(old)

    def _await_serving(self, worker: "Process") -> bool:
        """Wait until the worker serves; False if it does not, or there is something else to do."""
        ends_at = time.monotonic() + self.container.settings.start_seconds
        while worker.is_alive() and time.monotonic() < ends_at and not self.interrupt_signal:
            if self.container.probes.is_settled(worker.known):
                return True
            time.sleep(LOOK_SECONDS)
        if not self.interrupt_signal:
            logger.error("Worker %d is not replaced: its successor does not serve.", worker.idx + 1)
        return False

    def _retire(self, worker: "Process") -> None:
        self._retired = [each for each in self._retired if each.is_alive()]
        self._retired.append(worker)
        worker.terminate()
        killer = threading.Timer(self.workers_kill_timeout or 0, worker.kill)
        killer.daemon = True
        killer.start()

    def _give_up(self, problem: str) -> None:
        """End with status 1; if another worker serves, drain first."""
        self.problem = problem
        logger.critical("Not serving: %s", problem)
        if any(worker.known.is_serving for worker in self.wrks) and not self.interrupt_signal:
            self._drain()
        self.interrupt_signal = True

    def _spawn_workers(self, spawn_target: Any, target_loader: Any) -> None:
        """Start all workers, or none: a start that fails ends `serve`."""
        try:
            for idx in range(self.workers):
                self.wrks.append(self._start_worker(idx, spawn_target, target_loader))
        except StartError as error:
            for worker in self.wrks:
                worker.kill()
            raise FailedError(str(error)) from error

    def _start_worker(self, idx: int, spawn_target: Any, target_loader: Any) -> "Process":
        """Start a worker. Raises `StartError`, and leaves nothing of it."""
        worker: Process | None = None
        try:
            try_fork()
            worker = self._spawn_worker(idx, spawn_target, target_loader)
            worker.start()
        except (OSError, RuntimeError) as error:  # no process, no descriptor, no thread
            if worker is not None:
                worker.abandon()
                self.container.remove(worker.known)
            text = getattr(error, "strerror", None) or error
            raise StartError(f"Worker {idx + 1} cannot be started: {text}") from error
        return worker

    def _spawn_worker(  # type: ignore[override]  # as Granian's own two servers have it
        self, idx: int, target: Any, callback_loader: Any
    ) -> "Process":
        known = self.container.pool.add(idx + 1)
        threads = self.blocking_threads if self.interface == Interfaces.WSGI else None
        if self.reload_on_changes:
            entry = functools.partial(enter_spawned, target, known.worker_end, threads)
        else:
            entry = functools.partial(enter_forked, target, known, threads, self.container)
        worker: Any = super()._spawn_worker(idx, entry, callback_loader)
        # Granian names the class itself, and offers no other way in.
        worker.__class__ = Process
        worker.known = known
        known.process = worker.inner
        return worker  # type: ignore[no-any-return]


class StartError(Exception):
    """A worker cannot be started now; the text says why."""


@contextlib.contextmanager
def _start_method(name: str) -> Any:
    import multiprocessing

    before = multiprocessing.get_start_method(allow_none=True)
    multiprocessing.set_start_method(name, force=True)
    try:
        yield
    finally:
        multiprocessing.set_start_method(before, force=True)
