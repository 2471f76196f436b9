"""Management commands while the database is away: an image must build, a migration must run."""

import pytest

from tests.harness.ports import LOOPBACK, Port
from tests.project.files import LONGEST_WAIT_SECONDS

BUILD_COMMANDS = [
    ["check"],
    ["check", "--deploy"],
    ["collectstatic", "--noinput"],
    ["migrate", "--plan", "--database=other"],
]


@pytest.fixture
def away(project):
    """Give the project, its default database a PostgreSQL at a given port, and `other` well."""

    def at(port: int):
        default = {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": "shop",
            "HOST": LOOPBACK,
            "PORT": port,
        }
        return project.with_databases(default=default, other=project.databases["default"])

    return at


@pytest.mark.long
@pytest.mark.parametrize("command", BUILD_COMMANDS, ids=" ".join)
def test_command_leaves_the_database_alone(away, black_hole, command):
    """What builds an image or migrates elsewhere does not so much as connect to it (D4)."""
    done = away(black_hole.port).manage(*command)
    assert done.returncode == 0, done.stderr
    assert black_hole.accepted == []


@pytest.mark.long
def test_makemigrations_works_without_the_database(away):
    """`makemigrations`, where Django itself connects, survives a database that is down (D4)."""
    with Port() as refused:
        done = away(refused.number).manage("makemigrations", "--check", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "dockerflow.health" not in done.stderr


def test_heartbeat_command_ends_in_time(project):
    """`manage.py heartbeat` exits 1 at the timeout: a check that hangs does not hold it."""
    hung = project.with_settings(DOCKERFLOW_CHECKS=["tests.project.checks.hung"])
    done = hung.manage("heartbeat", timeout=LONGEST_WAIT_SECONDS / 2)
    assert done.returncode == 1, done.stderr
    assert "dockerflow.health.E011" in done.stdout
    assert project.count("hung.runs") == 1
