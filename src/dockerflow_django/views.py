"""The views behind the included URLs: they ask `endpoints` and hand its answer on.

They answer what the middleware did not: where it is not installed, and where a browser asks.
"""

import asyncio
from typing import Any

from django.http import HttpRequest, HttpResponse

from dockerflow_django.endpoints import details
from dockerflow_django.endpoints.answers import METHODS, Endpoint, aanswer, has_details
from dockerflow_django.endpoints.page.response import respond_with_page
from dockerflow_django.endpoints.public import public
from dockerflow_django.endpoints.responses import accepts_html, respond
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat.evaluation import aevaluate

__all__ = ["error", "heartbeat", "lbheartbeat", "probe", "version"]


def _view(name: str) -> Any:
    # Below a captured pattern, a system-check error, the views answer and take what it captured.
    async def view(
        request: HttpRequest, *args: object, probe: str = "", **kwargs: object
    ) -> HttpResponse:
        endpoint = Endpoint(name, probe if name == "probe" else "")
        allowed = has_details(endpoint) and await details.aare_allowed(request)
        answer = await aanswer(endpoint, request.method or "", details=allowed)
        return respond(answer, request.method)

    return public(view, name)


def _for_people(view: Any) -> Any:
    """Let a browser have the page where the details are allowed, and everybody else the view."""

    async def page(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
        is_asked = request.method in METHODS and accepts_html(request)
        if not is_asked or not await details.aare_allowed(request):
            return await view(request, *args, **kwargs)  # type: ignore[no-any-return]
        reports = await asyncio.gather(*(aevaluate(name) for name in (HEARTBEAT, *PROBES)))
        version = await aanswer(Endpoint("version"), "GET")
        return respond_with_page(reports, version.payload or {}, request.method)

    return public(page, "heartbeat")


version = _view("version")
lbheartbeat = _view("lbheartbeat")
heartbeat = _for_people(_view("heartbeat"))
probe = _view("probe")
error = _view("error")
