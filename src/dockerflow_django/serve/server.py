"""The server of `serve`: it looks after its workers, and drains before it stops."""

import logging
import os
import signal
import threading
import time
from typing import Any

from dockerflow_django.serve.deaths import Deaths
from dockerflow_django.serve.process import Process
from dockerflow_django.serve.starting import StartingServer, WorkerStartError
from dockerflow_django.serve.stop import StopRequests

# The first signal begins the drain, the second ends it, this one waits for nothing more.
CUTTING = 3
LOOK_SECONDS = 0.05
# Before the next attempt to start a worker that this machine refuses.
RETRY_SECONDS = 1.0
# For Granian's own end, after the graceful timeout.
SPARE_SECONDS = 0.8

logger = logging.getLogger("dockerflow_django.serve")


class Server(StartingServer):
    """Granian, with workers that answer this process and are replaced when they die."""

    stop_requests: StopRequests  # set before `serve`, like `container`
    problem: str = ""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._deaths = Deaths()
        self._dead: list[Process] = []
        self._unreplaced: list[Process] = []
        self._retired: list[Process] = []

    def startup(self, *args: Any, **kwargs: Any) -> None:
        """Start, then wait for signals in a thread: the drain takes its time."""
        super().startup(*args, **kwargs)
        threading.Thread(target=self._await_stop, name="dockerflow-stop", daemon=True).start()

    def shutdown(self, exit_code: int = 0) -> None:
        """Stop the workers; one that dies meanwhile makes no failure of it."""
        self.wrks += [worker for worker in self._retired if worker.is_alive()]
        for worker in self.wrks:  # before Granian's first line: the log may be full
            worker.terminate()
        super().shutdown(exit_code)

    def signal_handler_interrupt(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGTERM and SIGINT to the thread: see `StopRequests`."""

    def signal_handler_reload(self, *args: Any, **kwargs: Any) -> None:
        """Leave SIGHUP to it too."""

    def worker_ended(self, worker: "Process") -> None:
        """Note the end of a worker; one that nobody told to end is replaced.

        With ``--reload`` it ends `serve`, or is left dead until a file changes, as Granian has it.
        """
        self.container.remove(worker.known)
        if worker.interrupt_by_parent or worker in self._retired:
            return
        said = worker.known.problem or worker.said
        logger.error("Worker %d (pid %s) ended: %s.", worker.idx + 1, worker.inner.pid, said)
        if not self.reload_on_changes:
            self._dead.append(worker)
        elif self.reload_ignore_worker_failure:
            return
        else:
            self.problem = f"worker {worker.idx + 1} ended: {said}"
            logger.critical("Not serving: %s", self.problem)
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
        seconds += self.graceful_seconds + SPARE_SECONDS
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
            except WorkerStartError as error:
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
            except WorkerStartError as error:
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
        killer = threading.Timer(self.graceful_seconds, worker.kill)
        killer.daemon = True
        killer.start()

    def _give_up(self, problem: str) -> None:
        """End with status 1; if another worker serves, drain first.

        The one thread that waits for signals drains: a second signal ends this drain too.
        """
        self.problem = problem
        logger.critical("Not serving: %s", problem)
        if any(worker.known.is_serving for worker in self.wrks):
            self.stop_requests.begin()
            while not self.interrupt_signal:
                self.main_loop_interrupt.wait()
                self.main_loop_interrupt.clear()
        self.interrupt_signal = True
