"""Endpoints asked by the project's tests with migrations pending; another middleware first."""

from base import *  # noqa: F403
from base import MIDDLEWARE

MIDDLEWARE = ["shop.FirstMiddleware", *MIDDLEWARE]
DOCKERFLOW_CHECKS = ["dockerflow.django.checks.check_migrations_applied"]
DOCKERFLOW_HEARTBEAT_FAIL_LEVEL = "ERROR"
SILENCED_SYSTEM_CHECKS = ["dockerflow.W005"]
