"""The checks that ship with the app, and how a project registers its own.

Each shipped check is looked up in the one module that knows its service, so that importing one
never asks for another's client library.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from dockerflow_django.checks.registry import register

if TYPE_CHECKING:
    from dockerflow_django.checks.amqp import check_amqp_connected
    from dockerflow_django.checks.caches import check_caches
    from dockerflow_django.checks.celery import check_celery_broker, check_celery_workers
    from dockerflow_django.checks.database import check_database_connected
    from dockerflow_django.checks.disk import check_disk_space
    from dockerflow_django.checks.mail import check_mail
    from dockerflow_django.checks.migrations import check_migrations_applied
    from dockerflow_django.checks.redis import check_redis_connected
    from dockerflow_django.checks.storage import check_storage

__all__ = [
    "check_amqp_connected",
    "check_caches",
    "check_celery_broker",
    "check_celery_workers",
    "check_database_connected",
    "check_disk_space",
    "check_mail",
    "check_migrations_applied",
    "check_redis_connected",
    "check_storage",
    "register",
]

_HOMES = {
    "check_amqp_connected": "amqp",
    "check_caches": "caches",
    "check_celery_broker": "celery",
    "check_celery_workers": "celery",
    "check_database_connected": "database",
    "check_disk_space": "disk",
    "check_mail": "mail",
    "check_migrations_applied": "migrations",
    "check_redis_connected": "redis",
    "check_storage": "storage",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
