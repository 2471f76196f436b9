"""Run the checks here, print what they found, and exit with 0 or 1."""

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.core.management.color import Style

from dockerflow_django.checks.messages import cause_of
from dockerflow_django.conf.casts import number
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat import log
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.heartbeat.report import Report, Result, keyed, status_of
from dockerflow_django.heartbeat.retry import retry
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.management.arguments import explain_in_one_line, taken_by
from dockerflow_django.management.output import coloured, reserve_standard_output


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
            self.stdout.write(_as_text(report, self.style))
        if not report.passed:
            sys.exit(1)

    def _evaluate(self, probe: str, wait_seconds: float) -> Report:
        told = ""

        def ask() -> Report:
            nonlocal told
            report = evaluate(probe, patient=True, fresh=True)
            waits_for = "" if report.passed else _names(report)
            if wait_seconds and waits_for not in ("", told):
                self.stderr.write(f"Waiting for {waits_for}", self.style.NOTICE)
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


def _as_text(report: Report, style: Style) -> str:
    title = f"{report.probe}: {status_of(report.level)}, {report.outcome}"
    lines = [coloured(title, report.level, style)]
    worst_first = sorted(report.results.items(), key=lambda each: -each[1].level)
    for name, result in worst_first:
        lines += _lines(name, result, style)
    return "\n".join(lines)


def _lines(name: str, result: Result, style: Style) -> Iterator[str]:
    status = coloured(f"{status_of(result.level):<8}", result.level, style)
    yield f"  {status} {name} ({result.duration_seconds * 1000:.1f} ms)"
    for (id_, text), message in zip(keyed(result.spoken).items(), result.spoken, strict=True):
        cause = cause_of(message)
        yield f"           {id_}: {text}" + (f" ({scrub(cause)})" if cause else "")
        if message.hint:
            yield f"           HINT: {message.hint}"
    yield from (f"           {line}" for line in scrub(result.traceback).splitlines())
