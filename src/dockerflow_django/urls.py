"""The paths of the endpoints, each with or without its trailing slash."""

from django.urls import re_path

from dockerflow_django import views

__all__ = ["app_name", "urlpatterns"]

app_name = "dockerflow"
"""The namespace: ``reverse("dockerflow:heartbeat")``."""

urlpatterns = [
    re_path(r"^__version__/?$", views.version, name="version"),
    re_path(r"^__lbheartbeat__/?$", views.lbheartbeat, name="lbheartbeat"),
    re_path(r"^__heartbeat__/?$", views.heartbeat, name="heartbeat"),
    re_path(r"^__heartbeat__/(?P<probe>[^/]+)/?$", views.probe, name="probe"),
    re_path(r"^__error__/?$", views.error, name="error"),
]
"""The patterns of all endpoints, for ``include("dockerflow_django.urls")``."""
