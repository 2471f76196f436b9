"""The URLs of a project whose views tell what they should not."""

from django.urls import include, path

from tests.torture.leaks import views

urlpatterns = [
    path("", include("dockerflow_django.urls")),
    path("", include("dockerflow_django.metrics.urls")),
    path("plain/", views.plain),
    path("reset/<uidb64>/<token>/", views.plain),
    path("tell/<way>/", views.tell),
    path("tell-async/<way>/", views.tell_async),
]
