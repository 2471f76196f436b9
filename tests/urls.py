"""The URLs of the default test session: the app's own, and one view beside them."""

from django.http import HttpRequest, HttpResponse
from django.urls import include, path


def plain(request: HttpRequest) -> HttpResponse:
    """Answer without a query, a session or a user."""
    return HttpResponse("plain")


urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("plain/", plain, name="plain"),
]
