"""A MariaDB that is away and comes back, as PostgreSQL in `test_database`."""

from collections.abc import Iterator

import pytest

from tests.harness.programs import missing
from tests.harness.project import Project
from tests.harness.servers import Server, serve_all
from tests.harness.waiting import wait_until
from tests.servers.heartbeats import LONGEST_SECONDS, ask, findings, longest, statuses
from tests.servers.outages import OUTAGES

WANTED = {"gunicorn-gthread": 60, "uvicorn": None}


@pytest.fixture(scope="module")
def servers(mariadb, tmp_path_factory) -> Iterator[dict[str, Server]]:
    """Start two servers that keep their connections, on a migrated database."""
    try:
        import MySQLdb  # noqa: F401 - only whether it is there
    except ImportError:  # pragma: no cover - the client is installed, or this is not tested
        missing("mysqlclient is not installed")
    mariadb.create_database("shop")
    project = Project(tmp_path_factory.mktemp("mariadb")).with_settings(
        DOCKERFLOW_HEARTBEAT_DETAILS="always", DOCKERFLOW_HEARTBEAT_MAX_AGE=0
    )
    plans = {
        kind: {
            "kind": kind,
            "project": project.with_databases(
                default=mariadb.settings("shop", CONN_MAX_AGE=max_age)
            ),
        }
        for kind, max_age in WANTED.items()
    }
    plans["uvicorn"]["project"].migrate()
    with serve_all(plans) as servers:
        yield servers


@pytest.mark.long
@pytest.mark.parametrize("outage", OUTAGES)
def test_outage_is_told_in_time_and_ends_with_it(mariadb, servers, outage):
    """Every heartbeat tells of an outage within the timeout, and is well soon after (D19, D20)."""
    wait_until(lambda: statuses(ask(servers)) == {200})
    with OUTAGES[outage](mariadb):
        for _ in range(2):
            answers = ask(servers)
            assert statuses(answers) == {500}
            assert longest(answers) < LONGEST_SECONDS
    wait_until(lambda: statuses(ask(servers)) == {200})


def test_restart_between_two_heartbeats_goes_unnoticed(mariadb, servers):
    """A kept connection that the server has ended is replaced within the first heartbeat."""
    wait_until(lambda: statuses(ask(servers)) == {200})
    mariadb.restart()
    answers = ask(servers)
    assert [findings(answer) for answer in answers.values()] == [{}, {}]
