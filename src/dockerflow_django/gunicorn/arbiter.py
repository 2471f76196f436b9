"""The workers in Gunicorn's arbiter: forked, spared until a successor serves, and forgotten."""

import contextlib
import os
import signal
from typing import Any

from dockerflow_django.gunicorn.ending import Ending
from dockerflow_django.supervisor.container import Container
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.settings import ContainerSettings


class Arbiter:
    """What the hooks keep in the arbiter."""

    container: Container
    server: Any
    ending: Ending

    def __init__(self) -> None:
        # The same worker, until the fork and until it is spawned.
        self.forking: Worker | None = None
        self.spawning: Worker | None = None
        self._deferred: dict[int, Worker] = {}

    def start(self, server: Any, settings: ContainerSettings) -> None:
        """Open the probe port, and ask the workers from now on."""
        self.server = server
        self.container = Container(settings)
        self.ending = Ending(server, self.container)
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
        self.ending.take_over()
        self._kill = self.server.kill_worker
        # The arbiter ends a worker that is one too many, or an old one, by this method.
        self.server.kill_worker = self._kill_worker
        self._spawn = self.server.spawn_worker
        self.server.spawn_worker = self._spawn_worker

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
