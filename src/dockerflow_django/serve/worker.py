"""What runs in a worker of `serve`: it answers its parent, loads the application, and says so."""

import socket
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from granian._internal import load_target
from granian.constants import Interfaces

from dockerflow_django.heartbeat.threads import start
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.serve.stop import end_within, leave_group
from dockerflow_django.supervisor.application import Asgi, Wsgi
from dockerflow_django.supervisor.channel import WorkerChannel
from dockerflow_django.supervisor.container import Container
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.worker import UrlconfError, import_urlconf, serve_questions

# Granian binds within milliseconds. A firewall that lets nobody in must not keep a worker unready.
BIND_ATTEMPTS = 100
BIND_PAUSE_SECONDS = 0.02
# For threads of a worker that takes requests which nobody will answer.
BROKEN_SECONDS = 2.0


def enter_forked(
    target: Callable[..., None],
    known: Worker,
    container: Container,
    threads: int | None,
    ending_seconds: float,
    *args: Any,
) -> None:
    """Run in a forked worker: let go of what is the parent's."""
    if container.probe_port is not None:
        container.probe_port.close_in_child()
    _enter(target, known.enter(), threads, ending_seconds, *args)


def enter_spawned(target: Callable[..., None], end: Any, *args: Any) -> None:
    """Run in a worker that is a new interpreter: there is nothing of the parent's."""
    _enter(target, WorkerChannel(end), *args)


def _enter(
    target: Callable[..., None],
    channel: WorkerChannel,
    threads: int | None,
    ending_seconds: float,
    *args: Any,
) -> None:
    """Run in the worker: begin as a process that a signal to the parent's group misses."""
    global _this_worker  # noqa: PLW0603
    leave_group()
    channel.attach()
    _this_worker = (channel, threads)
    # A view that calls `sys.exit` ends the loop of an ASGI worker here: its port still accepts.
    seconds = BROKEN_SECONDS
    try:
        target(*args)
        seconds = ending_seconds
    finally:
        end_within(seconds)
        channel.report_stopping()


def load(
    target: str,
    folder: Path | None,
    *,
    factory: bool,
    interface: Interfaces,
    address: tuple[str, int] | str,
) -> Any:
    """Load the application in the worker; if that fails, tell the parent why."""
    channel, threads = _this_worker or (None, None)
    assert channel is not None  # noqa: S101 - every worker comes by `_enter`
    try:
        application: Any = load_target(target, wd=folder, factory=factory)
        import_urlconf()
    except BaseException as error:
        channel.report_problem(_problem_of(error))
        raise

    def say_that_it_serves() -> None:
        # Granian binds after this; in another thread, as the loop of an ASGI worker goes on.
        start(lambda: _serve_when_bound(channel, threads, address), name="dockerflow-serving")

    if interface == Interfaces.WSGI:
        say_that_it_serves()
        return Wsgi(application)
    has_lifespan = interface == Interfaces.ASGI
    return Asgi(
        application,
        say_that_it_serves,
        on_failed=channel.report_failed_lifespan,
        has_lifespan=has_lifespan,
    )


def _serve_when_bound(
    channel: WorkerChannel, threads: int | None, address: tuple[str, int] | str
) -> None:
    """Say that this worker serves, once a connection is accepted; another worker's counts too."""
    for _ in range(BIND_ATTEMPTS):
        if _is_accepted(address):
            break
        time.sleep(BIND_PAUSE_SECONDS)
    serve_questions(channel, worker_threads=threads)


def _is_accepted(address: tuple[str, int] | str) -> bool:
    try:
        if isinstance(address, str):
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(address)
        else:
            host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(address[0], address[0])  # noqa: S104
            socket.create_connection((host, address[1]), timeout=1).close()
    except OSError:
        return False
    return True


# What `_enter` leaves for `load`, which Granian calls in the same process.
_this_worker: tuple[WorkerChannel, int | None] | None = None


def _problem_of(error: BaseException) -> str:
    """Return a line that says why the application cannot be loaded.

    If a module cannot be imported Granian's text ends with the traceback: the last line says why.
    """
    if isinstance(error, UrlconfError):
        return str(error)
    lines = [line.strip() for line in f"{type(error).__name__}: {error}".splitlines()]
    return f"the application cannot be loaded: {scrub(next(filter(None, reversed(lines)), ''))}"
