"""The page as a response: what a browser may do with it, which is to show it."""

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django.http import HttpResponse

from dockerflow_django.endpoints.answers import status_of_heartbeat
from dockerflow_django.endpoints.page.rendering import render
from dockerflow_django.heartbeat.report import Report

POLICY = (
    "default-src 'none'; style-src 'nonce-{nonce}'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def respond_with_page(
    reports: Sequence[Report], version: Mapping[str, Any], method: str | None
) -> HttpResponse:
    """Make the response, with the status code that the first report's JSON has."""
    nonce = secrets.token_urlsafe(16)
    body = render(reports, version, nonce).encode()
    headers = {
        "Content-Security-Policy": POLICY.format(nonce=nonce),
        "Cache-Control": "no-store",
        "Content-Length": str(len(body)),
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept",
        "X-Content-Type-Options": "nosniff",
    }
    response = HttpResponse(
        b"" if method == "HEAD" else body, status=status_of_heartbeat(reports[0]), headers=headers
    )
    # As for the JSON: what is wrong is logged when it changes, not with every look at it.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
