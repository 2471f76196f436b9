"""The backing services to break, and the servers that ask each: threads and an event loop."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tests.harness.mariadb import MariaDB
from tests.harness.postgres import PostgreSQL
from tests.harness.programs import missing
from tests.harness.project import Project
from tests.harness.rabbitmq import RabbitMQ
from tests.harness.redis import Redis

DATABASE = "shop"
SERVERS = ("gunicorn-gthread", "uvicorn")
KEEPING: Mapping[str, Mapping[str, Any]] = {
    "0": {"CONN_MAX_AGE": 0},
    "60": {"CONN_MAX_AGE": 60},
    "None": {"CONN_MAX_AGE": None},
    "pool": {"OPTIONS": {"pool": True}},
}


class Breakable(Protocol):
    """A service that counts its clients and can send them away, beside what `Service` can."""

    def connections(self) -> int: ...

    def kill_connections(self) -> int: ...


@dataclass(frozen=True)
class Backing:
    """One service: how it is made, and the project of each server, by the server's name."""

    make: Callable[[], Any]
    # Of each kind of server, the ways of keeping connections; one of each in a bounded run.
    ways: tuple[str, ...]
    bounded_ways: tuple[str, ...]
    project: Callable[[Any, str, Project], Project]
    prepare: Callable[[Any, Project], None] = lambda service, project: None

    def projects(self, service: Any, folder: Path, *, full: bool) -> dict[str, Project]:
        """Return the project of each server."""
        base = Project(folder).with_settings(DOCKERFLOW_SUMMARY_LOG_HEALTH=True)
        base = base.with_environ(PROJECT_LOGGING="1")
        self.prepare(service, base)
        if full:
            pairs = [(kind, way) for kind in SERVERS for way in self.ways]
        else:
            pairs = list(zip(SERVERS, self.bounded_ways, strict=True))
        return {f"{kind} {way}".strip(): self.project(service, way, base) for kind, way in pairs}


def _database(service: Any, way: str, project: Project) -> Project:
    return project.with_databases(default=service.settings(DATABASE, **KEEPING[way]))


def _migrated(service: Any, project: Project) -> None:
    service.create_database(DATABASE)
    project.with_databases(default=service.settings(DATABASE)).migrate()


def _mariadb() -> MariaDB:
    try:
        import MySQLdb  # noqa: F401 - only whether it is there
    except ImportError:  # pragma: no cover - the client is installed, or this is not tested
        missing("mysqlclient is not installed")
    return MariaDB()


def _cache(service: Redis, way: str, project: Project) -> Project:
    cache = {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": service.url()}
    return project.with_settings(
        CACHES={"default": cache}, DOCKERFLOW_CHECKS=_checks("redis_connected", "caches")
    )


def _broker(service: RabbitMQ, way: str, project: Project) -> Project:
    return project.with_settings(
        AMQP_URL=service.url(), DOCKERFLOW_CHECKS=_checks("amqp_connected")
    )


def _checks(*names: str) -> list[str]:
    return [f"dockerflow_django.checks.check_{name}" for name in names]


BACKING = {
    "PostgreSQL": Backing(PostgreSQL, tuple(KEEPING), ("None", "pool"), _database, _migrated),
    "MariaDB": Backing(_mariadb, ("0", "60", "None"), ("None", "0"), _database, _migrated),
    "Redis": Backing(Redis, ("",), ("", ""), _cache),
    "RabbitMQ": Backing(RabbitMQ, ("",), ("", ""), _broker),
}
