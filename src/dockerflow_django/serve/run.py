"""The life of ``serve``: build, test the ports, prepare, serve, and say so in a few lines."""

import contextlib
import dataclasses
import logging
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dockerflow_django.client import drain_marker
from dockerflow_django.logging.fallback import log_somewhere
from dockerflow_django.serve import GRACEFUL_SECONDS
from dockerflow_django.serve.options import WrongOptionsError, build_server
from dockerflow_django.serve.output import flush_or_lose
from dockerflow_django.serve.preparation import (
    FailedError,
    StoppedError,
    check_settings,
    prepare,
)
from dockerflow_django.serve.server import Server
from dockerflow_django.serve.stop import StopRequests
from dockerflow_django.supervisor.container import Container, ContainerError
from dockerflow_django.supervisor.settings import read_settings

HOST = "0.0.0.0"  # noqa: S104 - whoever calls is outside of the container

logger = logging.getLogger("dockerflow_django.serve")


@dataclass(frozen=True)
class Options:
    """What ``serve`` was told; `given` and `granian` are for Granian, in that order."""

    port: int
    asgi: bool = False
    given: dict[str, Any] = field(default_factory=dict)
    graceful_seconds: int | None = None
    commands: Sequence[str] = ()
    wait_seconds: float | None = None
    probe_port: int | None = None
    granian: Sequence[str] = ()


def run(options: Options, stop: StopRequests | None = None) -> None:
    """Serve until a signal comes; leave with status 1 if that cannot be."""
    stop = stop or StopRequests()
    stop.install()
    log_somewhere("dockerflow_django", "_granian", "granian.access")
    try:
        server = _build(options)
        check_settings(stop)
        server.stop_requests = stop
        with _container(server, options.probe_port):
            _test_bind(server)
            _forget_marker(server)
            _say_what_follows(server)
            prepare(options.commands, options.wait_seconds, stop)
            server.serve()
            if server.problem:
                sys.exit(1)
        logger.info("Stopped.")
    except StoppedError:
        logger.info("Stopped before serving began.")
    except (WrongOptionsError, FailedError, ContainerError) as error:
        logger.critical("Not serving: %s", error)
        sys.exit(1)
    finally:
        flush_or_lose(is_last=True)


def _build(options: Options) -> Server:
    graceful = options.graceful_seconds
    given = options.given
    if graceful is not None:
        given = {**given, "workers-kill-timeout": graceful}
    return build_server(
        asgi=options.asgi,
        defaults={"host": HOST, "port": options.port, "workers_kill_timeout": GRACEFUL_SECONDS},
        given=given,
        more=options.granian,
    )


@contextlib.contextmanager
def _container(server: Server, probe_port: int | None) -> Iterator[None]:
    settings = read_settings()
    if probe_port is not None:
        settings = dataclasses.replace(settings, probe_port=probe_port)
    server.container = Container(settings)
    server.container.start()
    try:
        yield
    except FailedError as error:
        server.problem = str(error)
        raise
    finally:
        server.container.stop(server.problem)


def _test_bind(server: Server) -> None:
    """See whether the port is free: two Granians would share one without a word.

    A name is replaced by its address, as Granian takes nothing else.
    """
    if server.bind_uds is not None:
        _test_socket_file(server.bind_uds)
        return
    where = _shown(server.bind_addr, server.bind_port)
    try:
        found = socket.getaddrinfo(
            server.bind_addr, server.bind_port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
        # What is called localhost is IPv4 for most who ask.
        family, *_, address = min(found, key=lambda info: info[0] != socket.AF_INET)
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except (OSError, UnicodeError) as error:  # a name that cannot be encoded is no host
        text = getattr(error, "strerror", None) or error
        raise FailedError(f"{where}: {text}") from error
    server.bind_addr = str(address[0])


def _test_socket_file(path: Path) -> None:
    """See the same of a socket's file; remove one that a killed process has left."""
    try:
        if path.exists() and not path.is_socket():
            raise FailedError(f"unix:{path}: there is a file that is no socket")
        if path.exists() and not _accepts(path):
            path.unlink()
        with socket.socket(socket.AF_UNIX) as probe:
            probe.bind(str(path))
        path.unlink()
    except OSError as error:
        raise FailedError(f"unix:{path}: {error.strerror or error}") from error


def _accepts(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1)
        try:
            client.connect(str(path))
        except ConnectionRefusedError:
            return False
    return True


def _forget_marker(server: Server) -> None:
    """Remove a drain marker that is older than this process: it was left for another one."""
    path = server.container.settings.drain_path
    if path is not None and drain_marker.exists(path):
        logger.warning("Removed a drain marker that was left before this start: %s", path)
        Path(path).unlink(missing_ok=True)


def _say_what_follows(server: Server) -> None:
    container = server.container
    if container.probe_port is None:
        logger.info(
            "The probes are answered by the application; DOCKERFLOW_PROBE_PORT gives them a port."
        )
    else:
        where = _shown(*container.probe_port.address)
        logger.info("The probes are answered at http://%s.", where)
    logger.info(
        "On SIGTERM: drain for %g s, then up to %s s for what is in flight.",
        container.settings.drain_seconds,
        server.workers_kill_timeout,
    )
    container.probes.on_first_serving = lambda: _say_that_it_serves(server)


def _say_that_it_serves(server: Server) -> None:
    scheme = "https" if server.ssl_ctx[0] else "http"
    address = _shown(server.bind_addr, server.bind_port)
    logger.info(
        "Serving %s (%s) at %s, workers: %d, threads each: %d.",
        server.target,
        server.interface,
        f"unix:{server.bind_uds}" if server.bind_uds else f"{scheme}://{address}",
        server.workers,
        server.blocking_threads,
    )


def _shown(host: str, port: int) -> str:
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
