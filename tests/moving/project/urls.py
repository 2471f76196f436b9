"""The URLconf after the one step that no search and replace can do."""

from django.http import HttpResponse
from django.urls import include, path

urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("plain/", lambda request: HttpResponse("plain")),
]
