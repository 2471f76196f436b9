"""Ids silenced through the environment, and checks in Django's registry."""

from base import *  # noqa: F403
from base import INSTALLED_APPS
from decouple import Csv, config

INSTALLED_APPS = [*INSTALLED_APPS, "recipes"]
DOCKERFLOW_CHECKS = ["dockerflow.django.checks.check_migrations_applied"]
SILENCED_SYSTEM_CHECKS = config("SILENCED", "dockerflow.health.W001", cast=Csv())
