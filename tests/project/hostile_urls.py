"""A project that guards the heartbeat, has a path of its own, and a receiver that hangs."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from dockerflow_django import signals, views
from tests.project import files


async def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
    """Let nobody see the heartbeat who does not know the key."""
    if request.headers.get("X-Key") != "let me in":
        return HttpResponse(status=403)
    response: HttpResponse = await views.heartbeat(request, *args, **kwargs)
    return response


def hang(**kwargs: Any) -> None:
    """Hang until the test ends."""
    files.count("receiver.calls")
    files.wait_for("receiver.release")


for signal in (signals.heartbeat_passed, signals.heartbeat_failed, signals.heartbeat_changed):
    signal.connect(hang)

urlpatterns = [
    path("__heartbeat__", guarded),
    path("livez", views.probe, {"probe": "liveness"}),
    path("", include("dockerflow_django.urls")),
]
