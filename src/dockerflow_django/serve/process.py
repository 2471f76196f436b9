"""One worker of `serve` as a process of Granian's server."""

import contextlib
import os
import signal
import time
from typing import Any

from granian.server.mp import WorkerProcess

from dockerflow_django.serve.deaths import exit_in_words
from dockerflow_django.serve.stop import held_back
from dockerflow_django.supervisor.known import Worker

# As many descriptors as a pair of sockets, and two pipes of `multiprocessing`.
PIPES = 3
# For the end of a child that does nothing.
FORK_SECONDS = 10.0


class Process(WorkerProcess):
    """A worker that is in no other's process group from its start on, and whose end is noticed."""

    known: Worker
    parent: Any  # the `Server`, which knows this class

    def start(self) -> None:
        """Fork with the signals held back: they are the parent's until the worker has its own."""
        with held_back():
            super().start()
            pid = self.inner.pid
            with contextlib.suppress(OSError):
                os.setpgid(pid, pid)  # whoever is first: the worker does the same
            self.parent.container.pool.started(self.known)

    def terminate(self) -> None:
        """Tell the worker to stop, once; its answers no longer count.

        A second signal, in the middle of what Granian does at the first, can block it for ever. One
        that does not serve yet, by its last words, has nothing to finish, and may lose a signal
        while it begins.
        """
        self.parent.container.pool.stopping(self.known)
        if not self.known.serves:
            self.kill()
        elif not self.interrupt_by_parent:
            super().terminate()

    def abandon(self) -> None:
        """End a process that could not be started wholly."""
        self.interrupt_by_parent = True
        if self.inner.pid is not None:
            self.inner.kill()
            self.inner.join()

    def _watcher(self) -> None:
        self.inner.join()
        self.parent.worker_ended(self)

    @property
    def said(self) -> str:
        """How the process ended."""
        return exit_in_words(self.inner.exitcode)


def try_fork() -> None:
    """Open what a worker takes, and fork. Raises `OSError`.

    `multiprocessing` leaves its descriptors behind if its own fork fails, at each attempt anew.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(PIPES):
            for end in os.pipe():
                stack.callback(os.close, end)
        with held_back():
            pid = os.fork()
            if not pid:
                os._exit(0)
        _await_end(pid)


def _await_end(pid: int) -> None:
    """Wait for the child. A lock that another thread held, and a hook takes, lets it hang."""
    ends_at = time.monotonic() + FORK_SECONDS
    while not os.waitpid(pid, os.WNOHANG)[0]:
        if time.monotonic() > ends_at:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise TimeoutError("a forked process hangs")
        time.sleep(0.001)
