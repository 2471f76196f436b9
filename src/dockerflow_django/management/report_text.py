"""What ``manage.py heartbeat`` prints for people."""

from collections.abc import Iterator

from django.core import checks
from django.core.checks import CheckMessage
from django.core.management.color import Style

from dockerflow_django.checks.messages import cause_of
from dockerflow_django.heartbeat.report import Report, Result, status_of, text_of, worst_first
from dockerflow_django.heartbeat.sentence import sentence_of
from dockerflow_django.management.folding import fold
from dockerflow_django.management.output import coloured
from dockerflow_django.management.places import hide_places

# Behind the longest state; a narrow terminal has no room for that.
INDENT, SMALL_INDENT, NARROW = 11, 4, 60
# Of each check: the rest is in the JSON.
MESSAGES = 10


def report_as_text(report: Report, style: Style, width: int | None) -> str:
    """Return the outcome on the first line, then what each check said, the worst first."""
    title = f"{report.probe} {report.outcome}: {sentence_of(report)}"
    level = 0 if report.passed else max(report.level, checks.WARNING)
    lines = [coloured(line, level, style) for line in fold(title, width)]
    for name, result in worst_first(report):
        lines += _lines(name, result, style, width)
    return "\n".join(lines)


def _lines(name: str, result: Result, style: Style, width: int | None) -> Iterator[str]:
    indent = SMALL_INDENT if width is not None and width < NARROW else INDENT
    status = coloured(f"{status_of(result.level):<8}", result.level, style)
    yield from fold(f"  {status} {name} ({result.duration_seconds * 1000:.1f} ms)", width, indent)
    for text in _said(result):
        yield from fold(" " * indent + text, width, indent + 2)
    traceback = hide_places(text_of(result.traceback))
    yield from (" " * indent + line for line in traceback.splitlines())


def _said(result: Result) -> Iterator[str]:
    said = ""
    for message in result.spoken[:MESSAGES]:
        yield from _texts(message, said)
        said = message.id or ""
    if (more := len(result.spoken) - MESSAGES) > 0:
        yield f"and {more} more; --json shows all"


def _texts(message: CheckMessage, said: str) -> Iterator[str]:
    """Yield the message, with its id if that has not just been `said`, and its hint."""
    id_ = f"{message.id}: " if message.id and message.id != said else ""
    cause = f" ({cause_of(message)})" if cause_of(message) else ""
    yield hide_places(text_of(f"{id_}{message.msg}{cause}"))
    if message.hint:
        yield hide_places(text_of(f"HINT: {message.hint}"))
