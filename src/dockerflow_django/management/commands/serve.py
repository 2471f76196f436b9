"""``manage.py serve``: serve the project with Granian, from the first signal to the last answer."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser, OutputWrapper

from dockerflow_django.conf.casts import integer, number
from dockerflow_django.management.arguments import (
    command_line,
    explain_in_one_line,
    from_environment,
    taken_by,
)
from dockerflow_django.serve import GRACEFUL_SECONDS

PORTS = integer(1, 65535)
SECONDS = integer(1, 1800)  # what Granian takes
WORKERS = integer(1, 1024)
WAIT_SECONDS = 60.0


class Command(BaseCommand):
    """Parse the arguments; `dockerflow_django.serve` does the rest."""

    help = "Serve the project with Granian: prepare, answer the probes, and stop without a loss."
    # A service that is down when a container starts is what --wait and the probes are for.
    requires_system_checks: list[str] = []  # noqa: RUF012 - Django's own form

    def run_from_argv(self, argv: list[str]) -> None:
        """Listen to signals before anything else is looked at."""
        from dockerflow_django.serve.output import open_closed
        from dockerflow_django.serve.stop import StopRequests

        open_closed()
        # Django has wrapped them before.
        self.stdout, self.stderr = OutputWrapper(sys.stdout), OutputWrapper(sys.stderr)
        self.stderr.style_func = self.style.ERROR
        self.stop_requests = StopRequests()
        self.stop_requests.install()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options of ``serve``; those of Granian follow after ``--``."""
        explain_in_one_line(parser)
        parser.add_argument(
            "--command",
            action="append",
            type=command_line,
            default=[],
            dest="commands",
            metavar="COMMAND",
            help="a management command with its arguments, to run before; may be repeated",
        )
        parser.add_argument(
            "--wait",
            nargs="?",
            type=taken_by(number(0, 86400, above=True)),
            const=WAIT_SECONDS,
            metavar="SECONDS",
            help="wait for the database before the commands, and for the migrations after them",
        )
        parser.add_argument("--host", help="where to listen; 0.0.0.0 if not given")
        parser.add_argument("--port", type=taken_by(PORTS), help="$PORT, or 8000, if not given")
        parser.add_argument("--asgi", action="store_true", help="serve ASGI_APPLICATION")
        parser.add_argument("--workers", type=taken_by(WORKERS), help="processes; 1 if not given")
        parser.add_argument(
            "--graceful-timeout",
            type=taken_by(SECONDS),
            metavar="SECONDS",
            help=f"for what is in flight after the drain; {GRACEFUL_SECONDS} if not given",
        )
        parser.add_argument(
            "--probe-port", type=taken_by(PORTS), help="DOCKERFLOW_PROBE_PORT if not given"
        )
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
                port=from_environment("PORT", PORTS, 8000),
                graceful_seconds=options["graceful_timeout"],
                commands=options["commands"],
                wait_seconds=options["wait"],
                probe_port=options["probe_port"],
                granian=options["granian"],
            ),
            stop,
        )
