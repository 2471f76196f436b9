"""The project's URLs with both views of the metrics, and a heartbeat page."""

from django.urls import include, path

urlpatterns = [
    path("", include("tests.project.urls")),
    path("", include("dockerflow_django.metrics.urls")),
    path("", include("django_prometheus.urls")),
]
