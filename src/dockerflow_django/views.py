"""The views behind the included URLs: they ask `endpoints` and hand its answer on.

They answer what the middleware did not: where it is not installed, and where a browser asks.
"""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt

from dockerflow_django import details
from dockerflow_django.endpoints import Endpoint, aanswer, has_details
from dockerflow_django.responses import respond


def _view(name: str) -> Any:
    async def view(request: HttpRequest, probe: str = "") -> HttpResponse:
        endpoint = Endpoint(name, probe)
        allowed = has_details(endpoint) and await details.aare_allowed(request)
        answer = await aanswer(endpoint, request.method or "", details=allowed)
        return respond(answer, request.method)

    view.__name__ = view.__qualname__ = name
    return login_not_required(csrf_exempt(transaction.non_atomic_requests(view)))


version = _view("version")
lbheartbeat = _view("lbheartbeat")
heartbeat = _view("heartbeat")
probe = _view("probe")
error = _view("error")
