"""Print where each endpoint is, what each probe runs and what is set; or a dashboard, or rules."""

import json as json_module
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import get_resolver

from dockerflow_django.logging.description import describe
from dockerflow_django.management.arguments import explain_in_one_line
from dockerflow_django.management.folding import width_of
from dockerflow_django.management.output import reserve_standard_output
from dockerflow_django.management.overview import look_over
from dockerflow_django.management.overview_text import overview_as_text
from dockerflow_django.metrics import dashboards


class Command(BaseCommand):
    """``manage.py dockerflow [--json | --dashboard | --rules]``."""

    help = (
        "Print where each endpoint is, which checks each probe runs and where they come from, "
        "every setting with its value and origin, and what is not in order."
    )
    # What they say is a part of what is printed.
    requires_system_checks: list[str] = []  # noqa: RUF012 - the type that Django declares

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the options, of which one at a time."""
        explain_in_one_line(parser)
        only_one = parser.add_mutually_exclusive_group()
        only_one.add_argument("--json", action="store_true", help="print one JSON object")
        only_one.add_argument(
            "--dashboard", action="store_true", help="print a dashboard for Grafana (JSON)"
        )
        only_one.add_argument(
            "--rules", action="store_true", help="print rules and alerts for Prometheus (YAML)"
        )

    def handle(self, *args: Any, json: bool, dashboard: bool, rules: bool, **options: Any) -> None:
        """Print what is asked for."""
        if dashboard or rules or json:
            reserve_standard_output(self)
        if not (dashboard or rules):
            _import_urls()
        if dashboard:
            self.stdout.write(dashboards.dashboard())
        elif rules:
            self.stdout.write(dashboards.rules())
        elif json:
            self.stdout.write(json_module.dumps(look_over(), indent=2))
        else:
            self.stdout.write(overview_as_text(look_over(), self.style, width_of(self.stdout)))


def _import_urls() -> None:
    try:
        get_resolver().url_patterns  # noqa: B018 - it imports what it returns
    except Exception as error:  # importing a project's URLs may raise anything
        message = f"{settings.ROOT_URLCONF!r} cannot be imported: {describe(error)}"
        raise CommandError(f"{message} (--traceback shows where)") from error
