"""What the probe port of a background worker answers, from what is known already."""

from collections.abc import Callable

from dockerflow_django.endpoints.answers import Answer, Endpoint, status_of_heartbeat
from dockerflow_django.endpoints.answers import answer as answer_endpoint
from dockerflow_django.endpoints.details import are_allowed_without_request
from dockerflow_django.health import PROBES
from dockerflow_django.heartbeat.report import Report
from dockerflow_django.supervisor.channel import Reply
from dockerflow_django.tasks import forks

_PROBE_PATHS = {f"/__heartbeat__/{probe}": probe for probe in PROBES}


def answer(path: str, report_of: Callable[[str], Report]) -> Reply | None:
    """Answer a path without its trailing slash; None if there is nothing."""
    if probe := _PROBE_PATHS.get(path):
        report = report_of(probe)
        payload = report.payload(details=are_allowed_without_request(None))
        return _reply(Answer(status_of_heartbeat(report), payload))
    if path == "/__lbheartbeat__":
        return _reply(answer_endpoint(Endpoint("lbheartbeat"), "GET"))
    return _metrics() if path == "/__metrics__" else None


def _reply(found: Answer) -> Reply:
    return Reply(found.status, found.body, found.headers["Content-Type"])


def _metrics() -> Reply | None:
    try:
        from dockerflow_django.metrics.exposition import expose
    except ImportError:
        return None
    with forks.held_off():
        found = expose()
    return Reply(200, found.body, found.headers["Content-Type"])
