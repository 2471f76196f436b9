"""Run the checks here, print what they found, and exit with 0 or 1."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from dockerflow_django.conf.casts import number
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat import log
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.heartbeat.report import Report
from dockerflow_django.heartbeat.retry import retry
from dockerflow_django.management.arguments import explain_in_one_line, taken_by
from dockerflow_django.management.folding import fold, width_of
from dockerflow_django.management.output import reserve_standard_output
from dockerflow_django.management.report_text import report_as_text


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
        explain_in_one_line(parser)
        parser.add_argument(
            "--probe",
            choices=PROBES,
            default=HEARTBEAT,
            metavar="NAME",
            help=f"run the checks of this probe instead: {', '.join(PROBES)}",
        )
        parser.add_argument(
            "--wait",
            type=taken_by(number(0)),
            default=0.0,
            metavar="SECONDS",
            help="try again, once a second, until the checks pass or this time is over",
        )
        parser.add_argument("--json", action="store_true", help="print one JSON object")

    def handle(self, *args: Any, probe: str, wait: float, json: bool, **options: Any) -> None:
        """Run, print, and end with 1 if the checks fail."""
        if json:
            reserve_standard_output(self)
            report = self._evaluate(probe, wait)
            self.stdout.write(_as_json(report))
        else:
            with _said_once():
                report = self._evaluate(probe, wait)
            self.stdout.write(report_as_text(report, self.style, width_of(self.stdout)))
        if not report.passed:
            sys.exit(1)

    def _evaluate(self, probe: str, wait_seconds: float) -> Report:
        told = ""

        def ask() -> Report:
            nonlocal told
            report = evaluate(probe, patient=True, fresh=True)
            waits_for = "" if report.passed else _names(report)
            if wait_seconds and waits_for not in ("", told):
                for line in fold(f"Waiting for {waits_for}", width_of(self.stderr), 2):
                    self.stderr.write(line, self.style.NOTICE)
            told = waits_for
            return report

        return retry(ask, lambda report: report.passed, wait_seconds)


def _names(report: Report) -> str:
    return ", ".join(name for name, result in report.results.items() if result.level)


@contextmanager
def _said_once() -> Iterator[None]:
    """Write no log lines about the checks: what they found is printed, causes and all."""
    log.logger.addFilter(_nothing)
    try:
        yield
    finally:
        log.logger.removeFilter(_nothing)


def _nothing(record: logging.LogRecord) -> bool:
    return False


def _as_json(report: Report) -> str:
    return json.dumps({"passed": report.passed, **report.payload(details=True)}, indent=2)
