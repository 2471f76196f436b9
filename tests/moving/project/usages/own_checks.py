"""Shipped checks, one of the project's own, and the version read by hand."""

from base import *  # noqa: F403
from base import BASE_DIR
from dockerflow.version import get_version

DEBUG = True
VERSION = get_version(BASE_DIR)
DOCKERFLOW_CHECKS = [
    "dockerflow.django.checks.check_database_connected",
    "shop.check_stock",
]
