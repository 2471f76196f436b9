"""The middleware without the app."""

from base import *  # noqa: F403
from base import INSTALLED_APPS

INSTALLED_APPS = INSTALLED_APPS[:-1]
DOCKERFLOW_CHECKS = ["dockerflow.django.checks.check_database_connected"]
