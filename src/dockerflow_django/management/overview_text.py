"""What ``manage.py dockerflow`` prints for people."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.core.management.color import Style

from dockerflow_django.heartbeat.report import STATUSES
from dockerflow_django.management.folding import fold, table
from dockerflow_django.management.output import coloured
from dockerflow_django.management.overview import Overview
from dockerflow_django.management.places import hide_place, hide_places

_LEVELS = {status: level for level, status in STATUSES.items()}
# What these hold is told check by check.
_TOLD_ABOVE = {"DOCKERFLOW_CHECKS", "DOCKERFLOW_PROBES"}
_HIDDEN = "none: other views answer at their paths"
Rows = Sequence[tuple[str, ...]]


def overview_as_text(overview: Overview, style: Style, width: int | None) -> str:
    """Return what is not in order, the worst first, then what there is."""
    return "\n".join(_lines(overview, style, width))


def _lines(overview: Overview, style: Style, width: int | None) -> Iterator[str]:
    yield style.MIGRATE_HEADING("System checks")
    for text, hanging in _in_order(overview, style):
        yield from fold(text, width, hanging)
    for heading, rows in (*_endpoints(overview), *_checks(overview), *_settings(overview)):
        yield ""
        yield from (style.MIGRATE_HEADING(line) for line in fold(heading, width, 2))
        yield from table(rows, width)


def _in_order(overview: Overview, style: Style) -> Iterator[tuple[str, int]]:
    """Yield each line, and how far to indent the rest if it is folded."""
    messages = overview["system_checks"]
    for message in messages:
        status = coloured(message["level"], _LEVELS[message["level"]], style)
        yield hide_places(f"  {status} {message['id']}: {message['message']}"), 4
        if message["hint"]:
            yield hide_places(f"    {message['hint']}"), 4
    said = " ".join(message["message"] for message in messages)
    # What is wrong and silenced is told all the same.
    silent = [s for s in overview["settings"] if s["problem"] and s["name"] not in said]
    for setting in silent:
        yield hide_places(f"  {style.ERROR('!')} {setting['name']}: {setting['problem']}"), 4
    if not messages and not silent:
        yield "  no issues", 4


def _endpoints(overview: Overview) -> Iterator[tuple[str, Rows]]:
    early = "before" if overview["is_answered_early"] else "without the middleware, so after"
    heading = f"Endpoints, answered {early} host validation, session and authentication"
    rows: Rows = [(endpoint["path"], endpoint["name"]) for endpoint in overview["endpoints"]]
    none = _HIDDEN if overview["is_included"] else _lacks("dockerflow_django.urls")
    yield heading, rows or [(none,)]
    paths: Rows = [(path,) for path in overview["metrics"]]
    yield "Metrics", paths or [(_lacks("dockerflow_django.metrics.urls"),)]


def _lacks(urls: str) -> str:
    return f'none: the URLconf lacks include("{urls}")'


def _checks(overview: Overview) -> Iterator[tuple[str, Rows]]:
    for probe, checks in overview["checks"].items():
        yield f"Checks of {probe}", [_check(check) for check in checks] or [("none",)]
    if overview["not_asked"]:
        heading = "Checks in Django's registry that no probe asks"
        yield heading, [(path,) for path in overview["not_asked"]]


def _check(check: dict[str, Any]) -> tuple[str, ...]:
    given = [f"{key}={hide_place(value)}" for key, value in check["keywords"].items()]
    given += [f"{key}={check[key]:g}" for key in ("timeout", "every") if check[key] is not None]
    given += ["once"] if check["once"] else []
    return (check["path"], check["source"], " ".join(given))


def _settings(overview: Overview) -> Iterator[tuple[str, Rows]]:
    """Yield what somebody has set before what nobody has."""
    written = [each for each in overview["settings"] if each["origin"] != "default"]
    left = [each for each in overview["settings"] if each["origin"] == "default"]
    rows: Rows = [(each["name"], each["origin"], _value(each)) for each in written]
    yield "Settings", rows or [("all have their defaults",)]
    yield "Settings that have their defaults", [(each["name"], _value(each)) for each in left]


def _value(setting: dict[str, str]) -> str:
    is_empty = setting["value"] in {"{}", "[]", "()"}
    is_told = setting["name"] in _TOLD_ABOVE and not (is_empty or setting["problem"])
    return "(see the checks above)" if is_told else hide_place(setting["value"])
