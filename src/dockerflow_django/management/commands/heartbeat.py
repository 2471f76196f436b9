"""Run the checks here, print what they found, and exit with 0 or 1."""

import json
import time
from argparse import ArgumentTypeError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from dockerflow_django.conf.casts import number
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.heartbeat.report import Report, Result, keyed, status_of
from dockerflow_django.management.parsing import exit_with_one

SECONDS_BETWEEN_TRIES = 1.0


class Command(BaseCommand):
    """``manage.py heartbeat [--probe NAME] [--wait SECONDS] [--json]``."""

    help = (
        "Run the checks of the heartbeat, or of a probe, in this process, and print what they "
        "found. Exit with 0 when they pass and with 1 when they do not."
    )
    # System checks judge the configuration; this command asks the services.
    requires_system_checks: list[str] = []  # noqa: RUF012 - the type that Django declares

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three options."""
        exit_with_one(parser)
        parser.add_argument(
            "--probe",
            choices=PROBES,
            default=HEARTBEAT,
            metavar="NAME",
            help=f"run the checks of this probe instead: {', '.join(PROBES)}",
        )
        parser.add_argument(
            "--wait",
            type=_seconds,
            default=0.0,
            metavar="SECONDS",
            help="try again, once a second, until the checks pass or this time is over",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, probe: str, wait: float, json: bool, **options: Any) -> None:
        """Run, print, and fail where the checks do."""
        report = _evaluate_until_passed(probe, wait)
        self.stdout.write(_as_json(report) if json else _as_text(report))
        if not report.passed:
            raise CommandError(f"{probe} failed: {status_of(report.level)}")


def _evaluate_until_passed(probe: str, wait_seconds: float) -> Report:
    deadline = time.monotonic() + wait_seconds
    while True:
        began = time.monotonic()
        report = evaluate(probe, patient=True, fresh=True)
        remaining = deadline - time.monotonic()
        if report.passed or remaining <= 0:
            return report
        pause = SECONDS_BETWEEN_TRIES - (time.monotonic() - began)
        time.sleep(max(0.0, min(pause, remaining)))


def _as_json(report: Report) -> str:
    return json.dumps({"passed": report.passed, **report.payload(details=True)}, indent=2)


def _as_text(report: Report) -> str:
    lines = [f"{report.probe}: {status_of(report.level)}, {report.outcome}"]
    for name, result in report.results.items():
        lines += _lines(name, result)
    return "\n".join(lines)


def _lines(name: str, result: Result) -> list[str]:
    milliseconds = result.duration_seconds * 1000
    first = f"  {status_of(result.level):<8} {name} ({milliseconds:.1f} ms)"
    return [first, *(f"           {id_}: {text}" for id_, text in keyed(result.spoken).items())]


def _seconds(text: str) -> float:
    try:
        return number(0)(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r}: it must be {error}") from None
