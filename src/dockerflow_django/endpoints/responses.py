"""From a request for an endpoint to its response: for the middleware and for the views."""

import asyncio

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from dockerflow_django.context import current_state
from dockerflow_django.endpoints.answers import (
    METHODS,
    Answer,
    Endpoint,
    aanswer,
    answer,
    has_details,
)
from dockerflow_django.endpoints.details import aare_allowed, are_allowed
from dockerflow_django.endpoints.paths import endpoints_in
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat.evaluation import aevaluate


def early_endpoint(request: HttpRequest) -> Endpoint | None:
    """Return the endpoint that the middleware answers, None for every other request.

    If the URLconf cannot be imported, Django says so when it resolves the path.
    """
    try:
        endpoint = endpoints_in(settings.ROOT_URLCONF).get(request.path_info)
    except Exception:  # noqa: BLE001 - importing a project's URLs may raise anything
        return None
    return None if endpoint is None or accepts_html(request) else endpoint


def respond(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Answer a request for the endpoint; what ``/__error__`` raises is passed on."""
    _note_health()
    allowed = has_details(endpoint) and are_allowed(request)
    return _response(request, answer(endpoint, request.method or "", details=allowed))


async def arespond(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    """Do the same without blocking the event loop."""
    _note_health()
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

    _note_health()
    reports = await asyncio.gather(*(aevaluate(name) for name in (HEARTBEAT, *PROBES)))
    version = await aanswer(Endpoint("version"), "GET")
    return respond_with_page(reports, version.payload or {}, request.method)


def _note_health() -> None:
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


def accepts_html(request: HttpRequest) -> bool:
    """Tell whether the ``Accept`` header names ``text/html``, as a browser's does.

    ``*/*`` does not count: a kubelet sends it. Whatever else the header holds is no error.
    """
    # Django's `accepted_types` takes a hundred times as long for every other request.
    accept: str = request.META.get("HTTP_ACCEPT", "").lower()
    if "text/html" not in accept:
        return False
    for media_range in accept.split(","):
        kind, _, parameters = media_range.partition(";")
        if kind.strip() == "text/html" and not _is_refused(parameters):
            return True
    return False


def _is_refused(parameters: str) -> bool:
    """Tell whether the weight is zero (RFC 9110, section 12.4.2)."""
    weights = [p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")]
    return any(weight.strip("0") in {"", "."} for weight in weights)
