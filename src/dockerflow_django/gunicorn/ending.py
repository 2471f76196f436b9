"""The end of Gunicorn's arbiter: the drain, the graceful timeout, and the hard end."""

import contextlib
import os
import queue
import signal
import threading
from typing import Any

from dockerflow_django.supervisor.container import Container

# For Gunicorn's own end after the graceful timeout.
SPARE_SECONDS = 2.0
# For the last webhook, if Gunicorn has to be ended.
FINISH_SECONDS = 1.0


class Ending:
    """Drains at SIGTERM, in a reload too, and ends Gunicorn at the latest when its time is over."""

    def __init__(self, server: Any, container: Container) -> None:
        self._server = server
        self._container = container
        # A signal handler may interrupt itself; this queue bears that.
        self._terms: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._timer: threading.Timer | None = None
        self._is_reloading = False

    def take_over(self) -> None:
        """Drain at the next SIGTERM, and know of every reload and of the stop."""
        # `Arbiter.signal` is what Gunicorn installs for its signals; it queues them.
        signal.signal(signal.SIGTERM, lambda number, frame: self._terms.put(number))
        threading.Thread(target=self._await_stop, name="dockerflow-stop", daemon=True).start()
        self._reload = self._server.reload
        self._server.reload = self._reload_server
        self._stop = self._server.stop
        self._server.stop = self._stop_server

    def _await_stop(self) -> None:
        self._terms.get()
        seconds = self._container.drain()
        self._end_at_latest(seconds)
        log = self._server.log
        log.info("Draining for %.1f s: readiness fails. Signal again to skip this.", seconds)
        with contextlib.suppress(queue.Empty):
            self._terms.get(timeout=seconds)
        while True:
            self._server.signal(signal.SIGTERM, None)
            self._terms.get()

    def _reload_server(self) -> None:
        self._is_reloading = True
        try:
            if self._timer is not None:
                self._end_at_latest(self._container.settings.drain_seconds)
            self._reload()
        finally:
            self._is_reloading = False

    def _stop_server(self, graceful: bool = True) -> None:
        """Stop; if this is the end of a drain, the graceful timeout counts from now."""
        if self._timer is not None:
            self._end_at_latest(0.0)
        self._stop(graceful)

    def _end_at_latest(self, drain_seconds: float) -> None:
        """End after the drain and the graceful timeout, even if a log that is full blocks all.

        Gunicorn's arbiter writes a line for every signal before it obeys it. It finishes a reload
        first: that loads the project, and waits for the old workers up to the graceful timeout.
        """
        graceful_seconds = float(self._server.cfg.graceful_timeout)
        seconds = drain_seconds + graceful_seconds + SPARE_SECONDS
        if self._is_reloading:
            seconds += self._container.settings.start_seconds + graceful_seconds
        self.cancel()
        self._timer = threading.Timer(seconds, self.end_at_once)
        self._timer.daemon = True
        self._timer.start()

    def cancel(self) -> None:
        """Leave the rest to Gunicorn, which has ended its workers."""
        if self._timer is not None:
            self._timer.cancel()

    def end_at_once(self) -> None:
        """Kill the workers and end, whatever this process waits for."""
        for pid in list(self._server.WORKERS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        finish = threading.Thread(target=self._finish, name="dockerflow-finish", daemon=True)
        finish.start()
        finish.join(FINISH_SECONDS)
        os._exit(1 if self._container.problem else 0)

    def _finish(self) -> None:
        """Do what Gunicorn, which is blocked, would have done at its end."""
        if self._server.pidfile is not None:
            self._server.pidfile.unlink()
        self._container.stop(self._container.problem)
