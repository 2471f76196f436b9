"""How long ``/__heartbeat__`` takes with many models, both default checks run each time."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks import projects
from benchmarks.measure import ratio, serve, take_turns
from benchmarks.middleware import environ
from benchmarks.projects import DOCKERFLOW, OURS
from benchmarks.rows import Row, microseconds

REPETITIONS = 30
SERVER = {
    "ENGINE": "django.db.backends.postgresql",
    "HOST": os.environ.get("BENCH_POSTGRESQL_HOST", "127.0.0.1"),
    "PORT": os.environ.get("BENCH_POSTGRESQL_PORT", "5432"),
    "USER": os.environ.get("BENCH_POSTGRESQL_USER", "postgres"),
}


def rows() -> list[Row]:
    """Measure against the peer with 200 models, and ourselves from 10 to 1,000."""
    with _database() as name:
        commands = {
            f"{contender}, {models} models": (
                "benchmarks.heartbeat",
                contender,
                str(models),
                name,
            )
            for contender, models in ((DOCKERFLOW, 200), (OURS, 10), (OURS, 200), (OURS, 1000))
        }
        turns = take_turns(commands)
    taken = turns.medians
    ours, peer = f"{OURS}, 200 models", f"{DOCKERFLOW}, 200 models"
    few, many = f"{OURS}, 10 models", f"{OURS}, 1000 models"
    beside, growth = ratio(ours, peer), ratio(many, few)
    return [
        Row(
            "heartbeat",
            "/__heartbeat__, 200 models, PostgreSQL, both checks run each time, against "
            "python-dockerflow's",
            turns.middle(beside),
            0.08,
            f"{microseconds(taken[ours])}; {DOCKERFLOW} {microseconds(taken[peer])}",
            turns.spread(beside),
        ),
        Row(
            "heartbeat-flat",
            "/__heartbeat__ with 1,000 models, against 10 models (flat)",
            turns.middle(growth),
            1.25,
            f"{microseconds(taken[many])}; with 10 models {microseconds(taken[few])}",
            turns.spread(growth),
        ),
    ]


@contextmanager
def _database() -> Iterator[str]:
    import psycopg

    name = f"dockerflow_bench_{os.getpid()}"
    where = f"host={SERVER['HOST']} port={SERVER['PORT']} user={SERVER['USER']} dbname=postgres"
    with psycopg.connect(where, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")  # type: ignore[call-overload]
        try:
            yield name
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")  # type: ignore[call-overload]


def main(contender: str, models: str, database: str) -> Iterator[float]:
    """Configure, migrate, and yield the seconds for one heartbeat, over and over."""
    projects.APPS[contender].append("benchmarks.manymodels")
    os.environ["BENCH_MODELS"] = models
    projects.configure(
        contender,
        quiet=True,
        DATABASES={"default": {**SERVER, "NAME": database, "CONN_MAX_AGE": 60}},
        # The first of a thousand models takes what the machine takes; it is not measured.
        DOCKERFLOW_CHECK_TIMEOUT=30,
        DOCKERFLOW_HEARTBEAT_MAX_AGE=0,
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    )
    _prepare(contender)
    return _timed()


def _prepare(contender: str) -> None:
    from django.core.management import call_command

    call_command("migrate", verbosity=0, skip_checks=True)
    if contender == OURS:
        from dockerflow_django.checks import migrations

        migrations.HOLDS_SECONDS = 0  # ask for the migrations each time, as the peer does


def _timed() -> Iterator[float]:
    from django.core.handlers.wsgi import WSGIHandler

    handler = WSGIHandler()

    def once() -> None:
        statuses: list[Any] = []
        response = handler(
            environ("/__heartbeat__"), lambda status, headers: statuses.append(status)
        )
        response.close()
        assert statuses[0].startswith("200"), (statuses, response.content)

    while True:
        began = time.perf_counter()
        for _ in range(REPETITIONS):
            once()
        yield (time.perf_counter() - began) / REPETITIONS


if __name__ == "__main__":
    serve(main(*sys.argv[1:]))
