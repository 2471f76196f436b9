"""``manage.py consume``: hand the messages of an AMQP queue to a function of the project."""

import json
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dockerflow_django.conf.casts import integer, text
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.management.arguments import WRONG_USE, explain_in_one_line, taken_by
from dockerflow_django.tasks.amqp.options import EXCHANGE_TYPES, Options, WrongOptionsError
from dockerflow_django.tasks.probes import ProbesError
from dockerflow_django.tasks.stopping import StopSignals

MOST_PREFETCHED = 65535


class Command(BaseCommand):
    """Parse the arguments; `dockerflow_django.tasks.amqp` does the rest."""

    help = "Hand the messages of an AMQP queue to a function, answer the probes, lose nothing."
    # A service that is down when a container starts is what the probes are for.
    requires_system_checks = ("dockerflow",)

    def run_from_argv(self, argv: list[str]) -> None:
        """Listen to signals before anything else is looked at."""
        self.signals = StopSignals()
        self.signals.install()
        super().run_from_argv(argv)

    def add_arguments(self, parser: CommandParser) -> None:
        """Add the options; none shows a default that may be a secret."""
        explain_in_one_line(parser)
        parser.add_argument(
            "handler", metavar="HANDLER", help="dotted path of a function handle(body, message)"
        )
        parser.add_argument("--queue", required=True, type=taken_by(text), metavar="NAME")
        parser.add_argument(
            "--exchange", default="", metavar="NAME", help="declare it, and bind the queue to it"
        )
        parser.add_argument("--exchange-type", default="topic", choices=EXCHANGE_TYPES)
        parser.add_argument(
            "--routing-key",
            action="append",
            default=[],
            dest="routing_keys",
            metavar="KEY",
            help="of a message for the queue; may be repeated",
        )
        parser.add_argument(
            "--queue-argument",
            action="append",
            default=[],
            dest="queue_arguments",
            type=_pair,
            metavar="NAME=VALUE",
            help="declare the queue with it, like x-queue-type=quorum; may be repeated",
        )
        parser.add_argument(
            "--prefetch",
            type=taken_by(integer(1, MOST_PREFETCHED)),
            default=1,
            metavar="N",
            help="messages that wait here while one is handled, that one included; 1 if not given",
        )
        parser.add_argument(
            "--url",
            help="amqp://… or amqps://…; AMQP_URL, or AMQP_HOST and the others, if not given: "
            "other users of the machine see the arguments of a command",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Consume until told to stop."""
        try:
            from dockerflow_django.tasks.amqp import run
            from dockerflow_django.tasks.amqp.errors import RefusedError
        except ImportError as error:
            if (error.name or "").partition(".")[0] not in {"amqp", "kombu"}:
                raise
            raise CommandError(
                "The AMQP client is not installed: pip install 'dockerflow-django[amqp]'"
            ) from None
        names = ("queue", "exchange", "exchange_type", "routing_keys", "prefetch")
        given = {name: options[name] for name in names}
        arguments = dict(options["queue_arguments"])
        try:
            run.run(
                options["handler"],
                Options(**given, queue_arguments=arguments),
                options["url"],
                getattr(self, "signals", None),
            )
        except (ProbesError, RefusedError, WrongOptionsError) as error:
            status = WRONG_USE if isinstance(error, WrongOptionsError) else 1
            raise CommandError(scrub(f"Not consuming: {error}."), returncode=status) from None


def _pair(given: str) -> tuple[str, Any]:
    name, is_pair, value = given.partition("=")
    if not (name and is_pair):
        raise ArgumentTypeError(f"{given!r}: it must be NAME=VALUE")
    try:
        return name, json.loads(value)
    except ValueError:
        return name, value
