"""Endpoints asked by the project's tests, details and all, with migrations pending."""

from base import *  # noqa: F403

DEBUG = True
DOCKERFLOW_CHECKS = ["dockerflow.django.checks.check_migrations_applied"]
DOCKERFLOW_HEARTBEAT_FAIL_LEVEL = "ERROR"
