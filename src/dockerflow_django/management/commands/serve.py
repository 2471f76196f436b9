"""``manage.py serve``: serve the project with Granian, from the first signal to the last answer."""

import os
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

WAIT_SECONDS = 60.0
GRACEFUL_SECONDS = 20


class Command(BaseCommand):
    """Parse the arguments; `dockerflow_django.serve` does the rest."""

    help = "Serve the project with Granian: prepare, answer the probes, and stop without a loss."
    # A service that is down when a container starts is what --wait and the probes are for.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    def run_from_argv(self, argv: list[str]) -> None:
        """Listen to signals before anything else is looked at."""
        from dockerflow_django.serve.stop import StopRequests

        self.stop_requests = StopRequests()
        self.stop_requests.install()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of ``serve``; those of Granian follow after ``--``."""
        parser.add_argument(
            "--command",
            action="append",
            default=[],
            dest="commands",
            help="a management command with its arguments, to run before; may be repeated",
        )
        parser.add_argument(
            "--wait",
            nargs="?",
            type=_seconds,
            const=WAIT_SECONDS,
            metavar="SECONDS",
            help="wait for the database before the commands, and for the migrations after them",
        )
        parser.add_argument("--host", help="where to listen; 0.0.0.0 if not given")
        parser.add_argument("--port", type=_port, help="$PORT, or 8000, if not given")
        parser.add_argument("--asgi", action="store_true", help="serve ASGI_APPLICATION")
        parser.add_argument("--workers", type=_positive, help="processes; 1 if not given")
        parser.add_argument(
            "--graceful-timeout",
            type=_positive,
            metavar="SECONDS",
            help=f"for what is in flight after the drain; {GRACEFUL_SECONDS} if not given",
        )
        parser.add_argument("--probe-port", type=_port, help="DOCKERFLOW_PROBE_PORT if not given")
        parser.add_argument(
            "granian", nargs="*", metavar="-- OPTIONS", help="Granian's own options"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve until told to stop."""
        try:
            from dockerflow_django.serve import run
        except ImportError as error:
            if error.name not in {"granian", "click"}:
                raise
            raise CommandError(
                "Granian is not installed: pip install 'dockerflow-django[serve]'"
            ) from None
        stop = getattr(self, "stop_requests", None)
        given = {name: options[name] for name in ("host", "port", "workers") if options[name]}
        run.run(
            run.Options(
                asgi=options["asgi"],
                given=given,
                port=_port(os.environ["PORT"]) if os.environ.get("PORT") else 8000,
                graceful_seconds=options["graceful_timeout"],
                commands=options["commands"],
                wait_seconds=options["wait"],
                probe_port=options["probe_port"],
                granian=options["granian"],
            ),
            stop,
        )


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < 86400:  # noqa: PLR2004 - a day
        raise ArgumentTypeError(f"{text!r} is no number of seconds above 0")
    return seconds


def _positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text)):
        raise ArgumentTypeError(f"{text!r} is no number above 0")
    return int(text)


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 65536):  # noqa: PLR2004 - 16 bits
        raise ArgumentTypeError(f"{text!r} is no port from 1 to 65535")
    return int(text)
