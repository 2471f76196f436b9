"""The life of ``serve``: build, test the ports, prepare, serve, and say so in a few lines."""

import contextlib
import logging
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from granian.errors import FatalError

from dockerflow_django.client import drain_marker
from dockerflow_django.conf import conf
from dockerflow_django.serve.options import WrongOptionsError, build_server
from dockerflow_django.serve.preparation import FailedError, StoppedError, prepare
from dockerflow_django.serve.server import Server
from dockerflow_django.serve.stop import StopRequests
from dockerflow_django.supervisor.probe_port import ProbePort
from dockerflow_django.supervisor.probes import CrewProbes
from dockerflow_django.webhooks.container import ContainerWebhooks

# With the drain before it, this ends before Kubernetes's 30 seconds do.
GRACEFUL_SECONDS = 20
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
    """Serve until a signal comes; leave with status 1 where that cannot be."""
    stop = stop or StopRequests()
    stop.install()
    _log_somewhere()
    try:
        server = _build(options)
        server.stop_requests = stop
        server.probes = CrewProbes(conf.DOCKERFLOW_CHECK_TIMEOUT)
        with _webhooks(server), _probe_port(server, options.probe_port):
            _test_bind(server)
            _forget_marker()
            _say_what_follows(server)
            prepare(options.commands, options.wait_seconds, stop)
            server.serve()
        logger.info("Stopped.")
    except StoppedError:
        logger.info("Stopped before serving began.")
    except (WrongOptionsError, FailedError, FatalError) as error:
        logger.critical("Not serving: %s", error)
        sys.exit(1)


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
def _webhooks(server: Server) -> Iterator[None]:
    url = conf.DOCKERFLOW_WEBHOOK_URL
    if url is None:
        yield
        return
    webhooks = ContainerWebhooks(url, conf.DOCKERFLOW_WEBHOOK_SECRET, server.probes)
    server.on_startup(webhooks.watch_startup)
    try:
        yield
    except FailedError as error:
        webhooks.fail_startup(str(error))
        raise
    finally:
        webhooks.close()


@contextlib.contextmanager
def _probe_port(server: Server, port: int | None) -> Iterator[None]:
    host, port = conf.DOCKERFLOW_PROBE_HOST, port or conf.DOCKERFLOW_PROBE_PORT
    if port is None:
        yield
        return
    try:
        server.probe_port = ProbePort(host, port, server.probes.answer)
    except OSError as error:
        raise FailedError(f"the probe port {host}:{port}: {error.strerror or error}") from error
    server.probe_port.start()
    try:
        yield
    finally:
        server.probe_port.stop()


def _test_bind(server: Server) -> None:
    """See whether the port is free: two Granians would share one without a word."""
    if server.bind_uds is not None:
        return
    family = socket.AF_INET6 if ":" in server.bind_addr else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((server.bind_addr, server.bind_port))
            probe.listen(1)
        except OSError as error:
            where = f"{server.bind_addr}:{server.bind_port}"
            raise FailedError(f"{where}: {error.strerror}") from error


def _forget_marker() -> None:
    """Remove a drain marker that is older than this process: it was left for another one."""
    path = conf.DOCKERFLOW_DRAIN_PATH
    if path is not None and drain_marker.exists(path):
        logger.warning("Removed a drain marker that was left before this start: %s", path)
        Path(path).unlink(missing_ok=True)


def _say_what_follows(server: Server) -> None:
    scheme = "https" if server.ssl_ctx[0] else "http"
    where = (
        f"unix:{server.bind_uds}" if server.bind_uds else f"{server.bind_addr}:{server.bind_port}"
    )
    logger.info(
        "Serving %s (%s) at %s://%s, workers: %d, threads each: %d.",
        server.target,
        server.interface,
        scheme,
        where,
        server.workers,
        server.blocking_threads,
    )
    if server.probe_port is None:
        logger.info("The probes are answered there; DOCKERFLOW_PROBE_PORT gives them their own.")
    else:
        logger.info("The probes are answered at http://%s:%d.", *server.probe_port.address)
    logger.info(
        "On SIGTERM: drain for %g s, then up to %s s for what is in flight.",
        conf.DOCKERFLOW_DRAIN_SECONDS,
        server.workers_kill_timeout,
    )


def _log_somewhere() -> None:
    """Give the loggers a plain handler where the project's LOGGING leaves them without any."""
    for name in ("dockerflow_django", "_granian", "granian.access"):
        found = logging.getLogger(name)
        if found.getEffectiveLevel() > logging.INFO and found.level == logging.NOTSET:
            found.setLevel(logging.INFO)
        if not found.hasHandlers():
            handler = logging.StreamHandler(sys.stdout)
            handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
            found.addHandler(handler)
