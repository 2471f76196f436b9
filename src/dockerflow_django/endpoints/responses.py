"""From a request for an endpoint to its response: for the middleware and for the views."""

import asyncio

from django.http import HttpRequest, HttpResponse

from dockerflow_django.context.requests import current_state
from dockerflow_django.endpoints.answers import (
    METHODS,
    Answer,
    aanswer,
    answer,
    has_details,
)
from dockerflow_django.endpoints.details import aare_allowed, are_allowed
from dockerflow_django.endpoints.early import accepts_html
from dockerflow_django.endpoints.endpoint import Endpoint
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat.evaluation import aevaluate


def respond(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Answer a request for the endpoint; what ``/__error__`` raises is passed on."""
    note_health()
    allowed = has_details(endpoint) and are_allowed(request)
    return _response(request, answer(endpoint, request.method or "", details=allowed))


async def arespond(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Do the same without blocking the event loop."""
    note_health()
    allowed = has_details(endpoint) and await aare_allowed(request)
    found = await aanswer(endpoint, request.method or "", details=allowed)
    return _response(request, found)


async def arespond_to_people(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Answer a browser with the page if it may see details, and everybody else as `arespond`."""
    is_asked = request.method in METHODS and accepts_html(request)
    if not is_asked or not await aare_allowed(request):
        return await arespond(request, endpoint)
    # A process that no browser asks does without the page.
    from dockerflow_django.endpoints.page.response import respond_with_page

    note_health()
    reports = await asyncio.gather(*(aevaluate(name) for name in (HEARTBEAT, *PROBES)))
    version = await aanswer(Endpoint("version"), "GET")
    return respond_with_page(request, reports, version)


def note_health() -> None:
    """Let the request's summary know that it is one of our endpoints' own."""
    if (state := current_state()) is not None:
        state.is_health = True


def _response(request: HttpRequest, found: Answer) -> HttpResponse:
    if (state := current_state()) is not None:
        state.is_expected = found.is_expected
    return make_response(found, request.method)


def make_response(found: Answer, method: str | None) -> HttpResponse:
    """Make the response of an answer; to HEAD it has the headers of GET's and no body."""
    body = found.body
    response = HttpResponse(
        b"" if method == "HEAD" else body, status=found.status, headers=found.headers
    )
    response.headers["Content-Length"] = str(len(body))
    # Django would log "Service Unavailable" as an error, and mail it to the admins, at every poll;
    # what is wrong is logged once, when it changes.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response
