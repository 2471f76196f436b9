"""The views behind the included URLs.

They answer what the middleware does not: everything if it is not installed, and browsers.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from dockerflow_django.endpoints.answers import Endpoint
from dockerflow_django.endpoints.public import as_endpoint
from dockerflow_django.endpoints.responses import arespond, arespond_to_people

__all__ = ["error", "heartbeat", "lbheartbeat", "probe", "version"]


def _view(name: str) -> Any:
    respond = arespond_to_people if name == "heartbeat" else arespond

    # Below a captured pattern, a system-check error, the views answer and take what it captured.
    async def view(
        request: HttpRequest, *args: object, probe: str = "", **kwargs: object
    ) -> HttpResponse:
        return await respond(request, Endpoint(name, probe if name == "probe" else ""))

    return as_endpoint(view, name)


version = _view("version")
lbheartbeat = _view("lbheartbeat")
heartbeat = _view("heartbeat")
probe = _view("probe")
error = _view("error")
