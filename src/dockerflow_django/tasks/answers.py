"""What the probe port of a background worker answers, from what is known already."""

from collections.abc import Callable, Mapping

from dockerflow_django.endpoints.answers import Answer, status_of_heartbeat
from dockerflow_django.endpoints.details import are_allowed_without_request
from dockerflow_django.heartbeat.report import Report
from dockerflow_django.supervisor.answers import LBHEARTBEAT, PROBE_PATHS
from dockerflow_django.supervisor.channel import Reply
from dockerflow_django.tasks import forks


def answer(
    path: str, headers: Mapping[str, str], report_of: Callable[[str], Report]
) -> Reply | None:
    """Answer a path without its trailing slash; None if there is nothing."""
    if probe := PROBE_PATHS.get(path):
        report = report_of(probe)
        payload = report.payload(details=_are_details_shown(headers))
        return Reply(status_of_heartbeat(report), Answer(200, payload).body)
    if path == "/__lbheartbeat__":
        return LBHEARTBEAT
    return _metrics(headers) if path == "/__metrics__" else None


def _are_details_shown(headers: Mapping[str, str]) -> bool:
    return are_allowed_without_request(headers.get("Authorization"))


def _metrics(headers: Mapping[str, str]) -> Reply:
    from dockerflow_django.metrics.exposition import expose

    with forks.held_off():
        found = expose(headers.get("Accept", ""), headers.get("Accept-Encoding", ""))
    fields = dict(found.headers)
    return Reply(200, found.body, fields.pop("Content-Type"), fields)
