"""A project that has a secret in each setting that may hold one, and services that refuse it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dockerflow_django.conf import conf
from tests.harness.mariadb import MariaDB
from tests.harness.postgres import PostgreSQL
from tests.harness.project import Project
from tests.harness.queues import port as amqp_port
from tests.harness.redis import Redis
from tests.torture.leaks.secrets import Secrets

USER = "ada"
# Not in a URL as it is: quoted there, and written so in other places.
JOINT = "@/'"
QUOTED = "%40%2F%27"

OWN = "dockerflow_django.checks.check_"
THEIRS = "tests.torture.leaks.checks."


def planted(project: Project, secrets: Secrets, services: "Services", hook: str) -> Project:
    """Return the project with every secret that it may have, each in a place of its own."""
    plant = secrets.plant
    leaks = {f"{name}_token": plant(f"a check's {name}") for name in ("message", "hint", "raised")}
    leaks["control"] = secrets.control("a check's control")
    redis = f"redis://{USER}:{plant('CACHES', QUOTED)}@127.0.0.1:{services.redis.port}/0"
    (project.folder / ".env").write_text(
        f"DOCKERFLOW_WEBHOOK_SECRET={plant('.env: DOCKERFLOW_WEBHOOK_SECRET')}\n"
        f"SHOP_TOKEN='{plant('.env: SHOP_TOKEN')}'\n"
    )
    (project.folder / "token").write_text(plant("DOCKERFLOW_HEARTBEAT_TOKEN_FILE"))
    return (
        project.with_databases(**services.databases(secrets))
        .with_settings(
            LEAKS=leaks,
            ROOT_URLCONF="tests.torture.leaks.urls",
            SECRET_KEY=plant("SECRET_KEY", JOINT),
            SECRET_KEY_FALLBACKS=[plant("SECRET_KEY_FALLBACKS")],
            CACHES={
                "default": {
                    "BACKEND": "django.core.cache.backends.redis.RedisCache",
                    "LOCATION": redis,
                }
            },
            EMAIL_HOST="127.0.0.1",
            EMAIL_PORT=services.redis.port,
            EMAIL_HOST_USER=USER,
            EMAIL_HOST_PASSWORD=plant("EMAIL_HOST_PASSWORD"),
            AMQP_URL=services.amqp(plant("AMQP_URL", QUOTED)),
            AMQP_PASSWORD=plant("AMQP_PASSWORD"),
            CELERY_BROKER_URL=services.amqp(plant("CELERY_BROKER_URL")),
            CELERY_RESULT_BACKEND=f"redis://:{plant('CELERY_RESULT_BACKEND')}@127.0.0.1:1/0",
            AWS_SECRET_ACCESS_KEY=plant("AWS_SECRET_ACCESS_KEY"),
            DOCKERFLOW_CHECKS=[
                *(f"{OWN}{name}" for name in ("caches", "redis_connected", "amqp_connected")),
                (f"{OWN}database_connected", {"timeout": 15}),
                (f"{OWN}mail", {"every": 60}),
                (f"{OWN}redis_connected", {"url": redis.replace("0/0", "0/1")}),
                *(f"{THEIRS}{name}" for name in ("telling", "raising")),
                (f"{THEIRS}waiting", {"token": plant("a check's keyword")}),
            ],
            DOCKERFLOW_PROBES={"readiness": [f"{THEIRS}telling"], "startup": []},
            DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True,
            DOCKERFLOW_SUMMARY_LOG_HEALTH=True,
            DOCKERFLOW_PROBE_HOST="127.0.0.1",
        )
        .with_environ(
            PROJECT_LOGGING="1",
            # The search needs what a check says, and a late one is not heard.
            DOCKERFLOW_CHECK_TIMEOUT="10",
            DOCKERFLOW_HEARTBEAT_TOKEN_FILE=str(project.folder / "token"),
            DOCKERFLOW_DRAIN_PATH=str(project.folder / "draining"),
            DOCKERFLOW_WEBHOOK_URL=hooked(hook, secrets),
            PROMETHEUS_MULTIPROC_DIR=str(project.folder / "values"),
            DATABASE_URL=f"postgres://shop:{plant('environment: DATABASE_URL')}@db/shop",
            PGPASSWORD=plant("environment: PGPASSWORD"),
            API_KEY=plant("environment: API_KEY"),
        )
    )


def hooked(url: str, secrets: Secrets) -> str:
    """Return the URL with a password, a secret path and a secret query."""
    password, path, query = (
        secrets.plant(f"DOCKERFLOW_WEBHOOK_URL's {part}") for part in ("password", "path", "query")
    )
    return f"{url.replace('://', f'://{USER}:{password}@')}/{path}?token={query}"


class Services:
    """The real services; each refuses the password that it is given."""

    def __init__(self, postgresql: PostgreSQL, mariadb: MariaDB, redis: Redis) -> None:
        self.postgresql, self.mariadb, self.redis = postgresql, mariadb, redis

    def databases(self, secrets: Secrets) -> dict[str, Any]:
        """Return two databases that take us and two that do not."""
        wrong = {"USER": USER, "PASSWORD": secrets.plant("DATABASES: PostgreSQL", JOINT)}
        refused = {"PASSWORD": secrets.plant("DATABASES: MariaDB", JOINT)}
        return {
            "postgresql": self.postgresql.settings("postgres"),
            "postgresql_refused": {**self.postgresql.settings("postgres"), **wrong},
            "mariadb": self.mariadb.settings("mysql"),
            "mariadb_refused": {**self.mariadb.settings("mysql"), **refused},
        }

    def amqp(self, password: str) -> str:
        """Return a URL that the machine's RabbitMQ refuses."""
        return f"amqp://guest:{password}@127.0.0.1:{amqp_port()}//"


@contextmanager
def refusing(postgresql: PostgreSQL, mariadb: MariaDB, redis: Redis) -> Iterator[Services]:
    """Have PostgreSQL ask one user for a password: everybody else is trusted."""
    rules = postgresql.folder / "data" / "pg_hba.conf"
    before = rules.read_text()
    rules.write_text(f"host all {USER} 127.0.0.1/32 scram-sha-256\n{before}")
    postgresql.execute(f"CREATE ROLE {USER} LOGIN PASSWORD 'right'")
    postgresql.execute("SELECT pg_reload_conf()")
    try:
        yield Services(postgresql, mariadb, redis)
    finally:
        rules.write_text(before)
        postgresql.execute(f"DROP ROLE {USER}")
        postgresql.execute("SELECT pg_reload_conf()")


SETTINGS = tuple(conf.table)
"""Every setting of the app, by its name."""
