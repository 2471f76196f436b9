"""The path of the metrics, with or without its trailing slash."""

from django.urls import re_path

from dockerflow_django.conf import METRICS_NAME
from dockerflow_django.metrics import views

app_name = METRICS_NAME

urlpatterns = [re_path(r"^__metrics__/?$", views.metrics, name="metrics")]
