"""Print where each endpoint is, what each probe runs and what is set; or a dashboard, or rules."""

import json as json_module
from collections.abc import Iterator, Sequence
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.management.color import Style
from django.urls import get_resolver

from dockerflow_django.heartbeat.report import STATUSES
from dockerflow_django.logging.description import describe
from dockerflow_django.management.arguments import explain_in_one_line
from dockerflow_django.management.output import coloured, reserve_standard_output
from dockerflow_django.management.overview import Overview, look_over
from dockerflow_django.metrics import dashboards

_LEVELS = {status: level for level, status in STATUSES.items()}
Rows = Sequence[tuple[str, ...]]


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
            self.stdout.write("\n".join(_as_text(look_over(), self.style)))


def _import_urls() -> None:
    try:
        get_resolver().url_patterns  # noqa: B018 - it imports what it returns
    except Exception as error:  # importing a project's URLs may raise anything
        message = f"{settings.ROOT_URLCONF!r} cannot be imported: {describe(error)}"
        raise CommandError(f"{message} (--traceback shows where)") from error


def _as_text(overview: Overview, style: Style) -> Iterator[str]:
    yield from _in_order(overview, style)
    yield from _endpoints(overview)
    for probe, checks in overview["checks"].items():
        yield f"\nChecks of {probe}"
        yield from _table([_check(check) for check in checks] or [("none",)])
    if overview["not_asked"]:
        yield "\nChecks in Django's registry that no probe asks"
        yield from (f"  {path}" for path in overview["not_asked"])
    yield "\nSettings"
    yield from _table([(s["name"], s["origin"], s["value"]) for s in overview["settings"]])


def _in_order(overview: Overview, style: Style) -> Iterator[str]:
    """Yield what is not in order, the worst first: the reason why most people call this."""
    yield "System checks"
    for message in overview["system_checks"]:
        status = coloured(message["level"], _LEVELS[message["level"]], style)
        yield f"  {status} {message['id']}: {message['message']}"
        if message["hint"]:
            yield f"    {message['hint']}"
    if not overview["system_checks"]:
        yield "  nothing to say"
    for setting in overview["settings"]:
        if setting["problem"]:
            yield f"  {style.ERROR('!')} {setting['name']}: {setting['problem']}"
    yield ""


def _endpoints(overview: Overview) -> Iterator[str]:
    early = "before" if overview["is_answered_early"] else "without the middleware, so after"
    yield f"Endpoints, answered {early} host validation, session and authentication"
    rows: Rows = [(endpoint["path"], endpoint["name"]) for endpoint in overview["endpoints"]]
    yield from _table(rows or [(_lacks("dockerflow_django.urls"),)])
    yield "\nMetrics"
    paths: Rows = [(path,) for path in overview["metrics"]]
    yield from _table(paths or [(_lacks("dockerflow_django.metrics.urls"),)])


def _lacks(urls: str) -> str:
    return f'none: the URLconf lacks include("{urls}")'


def _check(check: dict[str, Any]) -> tuple[str, ...]:
    given = [f"{key}={value}" for key, value in check["keywords"].items()]
    given += [f"{key}={check[key]:g}" for key in ("timeout", "every") if check[key] is not None]
    given += ["once"] if check["once"] else []
    return (check["path"], check["source"], " ".join(given))


def _table(rows: Rows) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        yield f"  {'  '.join(cells)}".rstrip()
