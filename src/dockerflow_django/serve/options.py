"""What Granian is told: read by Granian's own command, so that every option of it works here."""

import importlib.util
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from django.conf import settings
from granian import cli
from granian.constants import Interfaces
from granian.errors import FatalError

from dockerflow_django.serve.server import Server

# What Granian itself calls reasonable. Each thread keeps a database connection, and Granian's
# default, 512 for one worker, is more than most databases take from everybody.
BLOCKING_THREADS = min(32, 2 * (os.cpu_count() or 1) + 1)

# Granian's own default.
RESPAWN_INTERVAL = 3.5

MAX_PORT = 65535


class WrongOptionsError(Exception):
    """Granian refuses what it was told; the text says why."""


def build_server(
    *, asgi: bool, defaults: dict[str, Any], given: dict[str, Any], more: Sequence[str]
) -> Server:
    """Build the server from what was `given`, Granian's own options in `more`, and `defaults`.

    Both have the names of Granian's options; the environment's ``GRANIAN_…`` stands between them.
    Raises `WrongOptionsError`.
    """
    target, factory = _asgi_target() if asgi else _target("wsgi")
    interface = "asgi" if asgi else "wsgi"
    if not asgi:
        defaults = {"blocking_threads": BLOCKING_THREADS, "websockets": False, **defaults}
    # As options, since no variable may serve an application by the interface of another.
    arguments = [target, "--interface", interface, "--factory" if factory else "--no-factory"]
    arguments += [part for name, value in given.items() for part in (f"--{name}", str(value))]
    server = _build([*arguments, *more], defaults)
    if server.interface not in {Interfaces.WSGI, Interfaces.ASGI, Interfaces.ASGINL}:
        raise WrongOptionsError(f"--interface {server.interface}: Django speaks wsgi and asgi")
    _refuse_respawning(server)
    _refuse_wrong_ports(server)
    return server


def _build(arguments: list[str], defaults: dict[str, Any]) -> Server:
    """Let Granian's command read the options, and build our server from what it has read."""
    built: list[Server] = []

    def build(*args: Any, **kwargs: Any) -> "_Kept":
        _refuse_half_of_tls(kwargs)
        _refuse_wrong_log_config(kwargs.get("log_dictconfig"))
        built.append(Server(*args, **kwargs))
        return _Kept()

    prefix = "GRANIAN"
    try:
        with _building(build):
            status = cli.cli.main(
                arguments,
                prog_name="serve",
                standalone_mode=False,
                auto_envvar_prefix=prefix,
                default_map=defaults,
            )
    except click.ClickException as error:
        raise WrongOptionsError(error.format_message()) from error
    except (FatalError, OSError, ValueError) as error:
        raise WrongOptionsError(str(error) or type(error).__name__) from error
    if not built and status:
        raise WrongOptionsError("Granian refuses its options, see above")
    if not built:  # --help or --version: Granian has said it
        raise SystemExit(0)
    return built[0]


class _Kept:
    """What Granian's command gets instead of a server to start."""

    def serve(self) -> None:
        """Leave it to `serve`, which has things to do before."""


@contextmanager
def _building(build: Callable[..., "_Kept"]) -> Iterator[None]:
    """Have Granian's command call `build` for the server that it would start at once.

    The command takes the class from its own module and offers no other way in.
    """
    module: Any = cli
    before = module.Server
    module.Server = build
    try:
        yield
    finally:
        module.Server = before


def _refuse_half_of_tls(given: dict[str, Any]) -> None:
    """Refuse what Granian would serve without TLS, or without asking the clients, silently."""
    named = {
        "--ssl-certificate": given.get("ssl_cert"),
        "--ssl-keyfile": given.get("ssl_key"),
    }
    more = {
        "--ssl-keyfile-password": given.get("ssl_key_password"),
        "--ssl-ca": given.get("ssl_ca"),
        "--ssl-crl": given.get("ssl_crl"),
        "--ssl-client-verify": given.get("ssl_client_verify"),
    }
    missing = [name for name, value in named.items() if not value]
    present = [name for name, value in {**named, **more}.items() if value]
    if present and missing:
        raise WrongOptionsError(f"{present[0]} needs {' and '.join(missing)} too")
    if more["--ssl-client-verify"] and not more["--ssl-ca"]:
        raise WrongOptionsError("--ssl-client-verify needs --ssl-ca too")


def _refuse_wrong_log_config(config: Any) -> None:
    """Refuse what Granian would fail on with a traceback; `dictConfig` judges the rest."""
    names = ("filters", "formatters", "handlers", "loggers")
    parts = [config.get(name, {}) for name in names] if isinstance(config, dict) else [None]
    loggers = parts[-1].values() if isinstance(parts[-1], dict) else []
    if config and not all(isinstance(each, dict) for each in (*parts, *loggers)):
        raise WrongOptionsError("--log-config: the file holds nothing that dictConfig takes")


def _refuse_respawning(server: Server) -> None:
    if server.respawn_failed_workers or server.respawn_interval != RESPAWN_INTERVAL:
        raise WrongOptionsError(
            "--respawn-failed-workers and --respawn-interval have no effect: serve replaces every "
            "worker that dies, and each other one when its successor serves"
        )


def _refuse_wrong_ports(server: Server) -> None:
    for name, port in (("--port", server.bind_port), ("--metrics-port", server.metrics_port)):
        if not 0 <= port <= MAX_PORT:
            raise WrongOptionsError(f"{name} {port}: a port is at most {MAX_PORT}")


def _target(name: str) -> tuple[str, bool]:
    """Return what Granian loads, and whether it is a factory: the settings', else Django's own."""
    path: str | None = getattr(settings, f"{name.upper()}_APPLICATION", None)
    if not path:
        return f"django.core.{name}:get_{name}_application", True
    module, _, attribute = path.rpartition(".")
    return f"{module}:{attribute}", False


def _asgi_target() -> tuple[str, bool]:
    """Return the project's ASGI application: the settings', else that beside its WSGI one.

    Raises `WrongOptionsError`.
    """
    wsgi: str = getattr(settings, "WSGI_APPLICATION", None) or ""
    package, _, module = wsgi.rpartition(".")[0].rpartition(".")
    if not getattr(settings, "ASGI_APPLICATION", None) and module == "wsgi":
        beside = f"{package}.asgi" if package else "asgi"
        try:
            is_there = importlib.util.find_spec(beside) is not None
        except ImportError as error:
            raise WrongOptionsError(f"WSGI_APPLICATION = {wsgi!r}: {error}") from error
        if is_there:
            return f"{beside}:application", False
    return _target("asgi")
