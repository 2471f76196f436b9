"""Gunicorn's hooks: the probe port, the drain, the webhooks, and the end of dead workers' metrics.

In ``gunicorn.conf.py``::

    from dockerflow_django.gunicorn import *

The arbiter loads neither the project nor its settings, so that a reload brings new ones. A child
that lives for a moment loads them, runs the app's system checks, and hands the values over.

.. versionadded:: 0.1
"""

import contextlib
import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

from dockerflow_django.supervisor.channel import WorkerChannel
from dockerflow_django.supervisor.container import Container, PortError
from dockerflow_django.supervisor.known import Worker
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

# For Gunicorn's own end after the graceful timeout.
SPARE_SECONDS = 2.0
# For the last webhook, if Gunicorn has to be ended.
FINISH_SECONDS = 1.0

# The worker classes that these hooks know, Uvicorn's by either of its packages.
WSGI_WORKERS = {
    "gunicorn.workers.sync.SyncWorker",
    "gunicorn.workers.gthread.ThreadWorker",
    "gunicorn.workers.ggevent.GeventWorker",
    "gunicorn.workers.ggevent.GeventPyWSGIWorker",
}
GUNICORNS_ASGI_WORKER = "gunicorn.workers.gasgi.ASGIWorker"
UVICORNS_WORKERS = {
    f"{module}.{name}"
    for module in ("uvicorn.workers", "uvicorn_worker._workers")
    for name in ("UvicornWorker", "UvicornH11Worker")
}


def on_starting(server: Any) -> None:
    """In the arbiter, before it starts: read the settings and open the probe port.

    If the settings have an error, the worker class is not supported or the port is taken, Gunicorn
    logs one line and ends with status 1.
    """
    try:
        _refuse_patched_arbiter()
        _refuse_unknown_worker(server.worker_class)
        settings = _read_settings(server)
        _arbiter.start(server, settings)
    except (StartError, SettingsError, PortError) as error:
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
        channel.notify({"problem": str(error)})
        raise

    def say_that_it_serves() -> None:
        serve_questions(channel, worker_threads=_threads_of(worker))

    _when_served(worker, say_that_it_serves, channel.tell_failed_lifespan)


def child_exit(server: Any, worker: Any) -> None:
    """In the arbiter, when a worker has ended: forget it, and remove its gauges."""
    _arbiter.container.remove(worker.dockerflow)


def on_exit(server: Any) -> None:
    """In the arbiter, before it ends: close the probe port, and send the last webhook.

    If nothing was served, it logs why.
    """
    _arbiter.ended()
    problem = _arbiter.container.problem
    if problem:
        server.log.critical("Not serving: %s", problem)
    _arbiter.container.stop(problem)


class StartError(Exception):
    """Gunicorn must not start; the text says why."""


class _Arbiter:
    """What the hooks keep in the arbiter."""

    container: Container
    server: Any

    def __init__(self) -> None:
        # The same worker, until the fork and until it is spawned.
        self.forking: Worker | None = None
        self.spawning: Worker | None = None
        # A signal handler may interrupt itself; this queue bears that.
        self._terms: queue.SimpleQueue[int] = queue.SimpleQueue()
        self._deferred: dict[int, Worker] = {}
        self._end: threading.Timer | None = None
        self._is_reloading = False

    def start(self, server: Any, settings: ContainerSettings) -> None:
        self.server = server
        self.container = Container(settings)
        self.container.probes.log = server.log  # the arbiter has no other
        self.container.probes.on_look = self._end_deferred
        self.container.start()

    def forked(self) -> None:
        """Do what the parent does after the fork, for which Gunicorn has no hook.

        Python calls this after a fork that has failed, too.
        """
        if self.forking is not None:
            self.container.pool.started(self.forking)
            self.forking = None

    def take_over(self) -> None:
        """Drain at SIGTERM, in a reload too; end old workers when new ones are settled.

        A worker that cannot be forked now is forked later: Gunicorn itself would end.
        """
        # `Arbiter.signal` is what Gunicorn installs for its signals; it queues them.
        signal.signal(signal.SIGTERM, lambda number, frame: self._terms.put(number))
        threading.Thread(target=self._await_stop, name="dockerflow-stop", daemon=True).start()
        self._kill = self.server.kill_worker
        # The arbiter ends a worker that is one too many, or an old one, by this method.
        self.server.kill_worker = self._kill_worker
        self._spawn = self.server.spawn_worker
        self.server.spawn_worker = self._spawn_worker
        self._reload = self.server.reload
        self.server.reload = self._reload_server
        self._stop = self.server.stop
        self.server.stop = self._stop_server

    def _await_stop(self) -> None:
        self._terms.get()
        seconds = self.container.drain()
        self._end_at_latest(seconds)
        log = self.server.log
        log.info("Draining for %.1f s: readiness fails. Signal again to skip this.", seconds)
        with contextlib.suppress(queue.Empty):
            self._terms.get(timeout=seconds)
        while True:
            self.server.signal(signal.SIGTERM, None)
            self._terms.get()

    def _reload_server(self) -> None:
        self._is_reloading = True
        try:
            if self._end is not None:
                self._end_at_latest(self.container.settings.drain_seconds)
            self._reload()
        finally:
            self._is_reloading = False

    def _stop_server(self, graceful: bool = True) -> None:
        """Stop; if this is the end of a drain, the graceful timeout counts from now."""
        if self._end is not None:
            self._end_at_latest(0.0)
        self._stop(graceful)

    def _end_at_latest(self, drain_seconds: float) -> None:
        """End after the drain and the graceful timeout, even if a log that is full blocks all.

        Gunicorn's arbiter writes a line for every signal before it obeys it. It finishes a reload
        first: that loads the project, and waits for the old workers up to the graceful timeout.
        """
        graceful_seconds = float(self.server.cfg.graceful_timeout)
        seconds = drain_seconds + graceful_seconds + SPARE_SECONDS
        if self._is_reloading:
            seconds += self.container.settings.start_seconds + graceful_seconds
        self.ended()
        self._end = threading.Timer(seconds, self._end_at_once)
        self._end.daemon = True
        self._end.start()

    def ended(self) -> None:
        """Leave the rest to Gunicorn, which has ended its workers."""
        if self._end is not None:
            self._end.cancel()

    def _end_at_once(self) -> None:
        for pid in list(self.server.WORKERS):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        finish = threading.Thread(target=self._finish, name="dockerflow-finish", daemon=True)
        finish.start()
        finish.join(FINISH_SECONDS)
        os._exit(1 if self.container.problem else 0)

    def _finish(self) -> None:
        """Do what Gunicorn, which is blocked, would have done at its end."""
        if self.server.pidfile is not None:
            self.server.pidfile.unlink()
        self.container.stop(self.container.problem)

    def _spawn_worker(self) -> int | None:
        """Start a worker. If that fails and one is missing, the arbiter tries again in a second."""
        self.spawning = None
        try:
            return self._spawn()  # type: ignore[no-any-return]
        except OSError as error:
            self._abandon_spawning()
            is_missing = len(self.server.WORKERS) < self.server.num_workers
            self.server.log.error(  # noqa: TRY400 - it says all
                "A worker cannot be started: %s%s",
                error.strerror or error,
                ". Trying again." if is_missing else ": the old one stays.",
            )
            return None

    def _abandon_spawning(self) -> None:
        """Keep nothing of a worker that could not be forked, its file included."""
        if self.spawning is not None:
            self.container.remove(self.spawning)
            self.spawning.process.tmp.close()

    def _kill_worker(self, pid: int, number: int) -> None:
        worker = self.server.WORKERS.get(pid)
        known: Worker | None = getattr(worker, "dockerflow", None)
        is_ending = not self.server.LISTENERS
        if number == signal.SIGTERM and known is not None:
            if not is_ending and known.is_serving and not self._has_successor(known):
                self._deferred[pid] = known
                return
            self.container.pool.stopping(known)
        self._kill(pid, number)

    def _has_successor(self, known: Worker) -> bool:
        younger = [each for each in self.container.pool.workers if each.number > known.number]
        return any(map(self.container.probes.is_settled, younger))

    def _end_deferred(self) -> None:
        """End those that were spared until a younger worker is settled."""
        for pid, known in list(self._deferred.items()):
            if known.is_removed:
                del self._deferred[pid]
            elif self._has_successor(known):
                del self._deferred[pid]
                self.container.pool.stopping(known)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGTERM)


def _refuse_patched_arbiter() -> None:
    """Refuse an arbiter whose threads are greenlets: none runs while another one waits."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_anything_patched():
        raise StartError(
            "gevent has patched the arbiter, where nothing would answer the probes. Remove "
            "gevent.monkey.patch_all() from gunicorn.conf.py: the worker class gevent patches each "
            "worker itself."
        )


def _refuse_unknown_worker(worker_class: type) -> None:
    known = WSGI_WORKERS | UVICORNS_WORKERS | {GUNICORNS_ASGI_WORKER}
    if not any(_path(each) in known for each in worker_class.__mro__):
        raise StartError(
            f"the worker class {_path(worker_class)} is not supported: its probes could not be "
            "trusted. Use sync, gthread, gevent, asgi or Uvicorn's worker."
        )


def _path(cls: type) -> str:
    return f"{cls.__module__}.{cls.__qualname__}"


def _when_served(
    worker: Any, on_served: Callable[[], None], on_failed: Callable[[str], None]
) -> None:
    """Call `on_served` now, or when the lifespan of an ASGI application has started."""
    paths = {_path(each) for each in type(worker).__mro__}
    is_gunicorns, is_uvicorns = GUNICORNS_ASGI_WORKER in paths, bool(paths & UVICORNS_WORKERS)
    if not is_gunicorns and not is_uvicorns:
        on_served()
        return
    from dockerflow_django.supervisor.application import Asgi

    if is_gunicorns:
        # Gunicorn runs the lifespan of what this attribute holds after this hook.
        has_lifespan = worker.cfg.asgi_lifespan != "off"
        worker.asgi = Asgi(worker.asgi, on_served, on_failed=on_failed, has_lifespan=has_lifespan)
    else:
        has_lifespan = worker.config.lifespan != "off"
        worker.wsgi = Asgi(worker.wsgi, on_served, on_failed=on_failed, has_lifespan=has_lifespan)


def _threads_of(worker: Any) -> int | None:
    """Return how many requests the worker runs at once; of an event loop nobody can tell."""
    name = type(worker).__name__
    if name == "SyncWorker":
        return 1
    return int(worker.cfg.threads) if name == "ThreadWorker" else None


def _read_settings(server: Any) -> ContainerSettings:
    return read_in_child(lambda: _load_project(server), server.log)


def _load_project(server: Any) -> None:
    """Load the settings; which they are may be known to the application's module alone."""
    if "DJANGO_SETTINGS_MODULE" not in os.environ:
        server.app.wsgi()
    import django

    django.setup()


_arbiter = _Arbiter()
os.register_at_fork(after_in_parent=_arbiter.forked)
