"""What a report comes to in one sentence, for the page and for the terminal."""

from dockerflow_django.health import ERROR_UNREADABLE_SETTING
from dockerflow_django.heartbeat.report import Report, checks_of


def sentence_of(report: Report) -> str:
    """Say how many of the report's checks fail, without a capital and without a full stop.

    What the process says of itself, starting or draining, is no check and does not count.
    """
    results = checks_of(report)
    number, failing = len(results), len(results.keys() & report.failing)
    for name, result in results.items():
        if any(message.id == ERROR_UNREADABLE_SETTING for message in result.spoken):
            return f"{name} cannot be read"
    if not number:
        return "no check is configured"
    if number == 1:
        return "the only check fails" if failing else "the only check passes"
    if not failing:
        return f"all {number} checks pass"
    return f"{failing} of {number} checks {'fails' if failing == 1 else 'fail'}"
