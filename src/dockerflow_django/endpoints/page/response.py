"""The page as a response: what a browser may do with it, which is to show it."""

import re
import secrets
from collections.abc import Sequence

from django.http import HttpRequest, HttpResponse

from dockerflow_django.endpoints.answers import Answer, status_of_heartbeat
from dockerflow_django.endpoints.page.rendering import render
from dockerflow_django.heartbeat.report import Report

POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
OK = 200
# Seconds between two questions that a browser may be told to keep; a heartbeat is shared for one.
SHORTEST_REFRESH, LONGEST_REFRESH = 5, 300


def respond_with_page(
    request: HttpRequest, reports: Sequence[Report], version: Answer
) -> HttpResponse:
    """Make the response, with the status code that the first report's JSON has."""
    nonce = secrets.token_urlsafe(16)
    payload = version.payload or {}
    shown = payload if version.status == OK else str(payload["error"])
    refresh = refresh_seconds(request.META.get("QUERY_STRING", ""))
    body = render(reports, shown, nonce, refresh).encode()
    headers = {
        "Content-Security-Policy": POLICY.format(nonce=nonce),
        "Cache-Control": "no-store",
        "Content-Length": str(len(body)),
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }
    response = HttpResponse(
        b"" if request.method == "HEAD" else body,
        status=status_of_heartbeat(reports[0]),
        headers=headers,
    )
    # As for the JSON: what is wrong is logged when it changes, not with every look at it.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def refresh_seconds(query: str) -> int | None:
    """Return how often the query asks for the page to be asked again, None if it does not.

    A number outside of the bounds becomes the nearest within; what is no number counts for nothing.
    """
    # Not `request.GET`: that refuses a query of a thousand names, which the JSON answers.
    found = re.search(r"(?:^|&)refresh=([0-9]{1,9})(?:&|$)", query)
    return min(max(int(found[1]), SHORTEST_REFRESH), LONGEST_REFRESH) if found else None
