"""What Granian is told: read by Granian's own command, so that every option of it works here."""

import os
from collections.abc import Sequence
from typing import Any
from unittest.mock import patch

import click
from django.conf import settings
from granian import cli
from granian.constants import Interfaces
from granian.errors import FatalError

from dockerflow_django.serve.server import Server

# What Granian itself calls reasonable. Each thread keeps a database connection, and Granian's
# default, 512 for one worker, is more than most databases take from everybody.
BLOCKING_THREADS = min(32, 2 * (os.cpu_count() or 1) + 1)


class WrongOptionsError(Exception):
    """Granian refuses what it was told; the text says why."""


def build_server(
    *, asgi: bool, defaults: dict[str, Any], given: dict[str, Any], more: Sequence[str]
) -> Server:
    """Build the server from what was `given`, Granian's own options in `more`, and `defaults`.

    Both have the names of Granian's options; the environment's ``GRANIAN_…`` stands between them.
    Raises `WrongOptionsError`.
    """
    target, factory = _target(asgi=asgi)
    interface = "asgi" if asgi else "wsgi"
    if not asgi:
        defaults = {"blocking_threads": BLOCKING_THREADS, "websockets": False, **defaults}
    options = {"interface": interface, "factory": factory, **defaults}
    arguments = [part for name, value in given.items() for part in (f"--{name}", str(value))]
    server = _build([target, *arguments, *more], options)
    if server.interface not in {Interfaces.WSGI, Interfaces.ASGI, Interfaces.ASGINL}:
        raise WrongOptionsError(f"--interface {server.interface}: Django speaks wsgi and asgi")
    return server


def _build(arguments: list[str], defaults: dict[str, Any]) -> Server:
    """Let Granian's command build our server instead of its own, which it starts at once."""
    built: list[Server] = []

    def build(*args: Any, **kwargs: Any) -> "_Kept":
        built.append(Server(*args, **kwargs))
        return _Kept()

    prefix = "GRANIAN"
    try:
        with patch.object(cli, "Server", build):
            cli.cli.main(
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
    if not built:  # --help or --version: Granian has said it
        raise SystemExit(0)
    return built[0]


class _Kept:
    """What Granian's command gets instead of a server to start."""

    def serve(self) -> None:
        """Leave it to `serve`, which has things to do before."""


def _target(*, asgi: bool) -> tuple[str, bool]:
    """Return what Granian loads, and whether it is a factory: the settings', else Django's own."""
    name = "asgi" if asgi else "wsgi"
    path: str | None = getattr(settings, f"{name.upper()}_APPLICATION", None)
    if not path:
        return f"django.core.{name}:get_{name}_application", True
    module, _, attribute = path.rpartition(".")
    return f"{module}:{attribute}", False
