"""The views behind the included URLs.

They answer what the middleware does not: everything if it is not installed, and browsers.
"""

from typing import Any

from django.http import HttpRequest, HttpResponse

from dockerflow_django.endpoints.endpoint import Endpoint
from dockerflow_django.endpoints.public import as_endpoint

__all__ = ["error", "heartbeat", "lbheartbeat", "probe", "version"]


def _view(name: str) -> Any:
    # Below a captured pattern, a system-check error, the views answer and take what it captured.
    async def view(
        request: HttpRequest, *args: object, probe: str = "", **kwargs: object
    ) -> HttpResponse:
        # The heartbeat is imported when it is first asked for.
        from dockerflow_django.endpoints import responses

        is_for_people = name == "heartbeat"
        respond = responses.arespond_to_people if is_for_people else responses.arespond
        return await respond(request, Endpoint(name, probe if name == "probe" else ""))

    return as_endpoint(view, name)


version = _view("version")
"""Answer ``/__version__``: the version object."""

lbheartbeat = _view("lbheartbeat")
"""Answer ``/__lbheartbeat__``: an empty body, and no check."""

heartbeat = _view("heartbeat")
"""Answer ``/__heartbeat__``: the outcome of every configured check."""

probe = _view("probe")
"""Answer a probe; ``probe``, from the pattern or its keywords, is the name of the probe."""

error = _view("error")
"""Answer ``/__error__``: raise an exception, if ``DOCKERFLOW_ERROR_ENDPOINT`` is on."""
