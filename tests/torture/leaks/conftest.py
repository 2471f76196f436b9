"""What is planted, once for a test, and the services that refuse it."""

from collections.abc import Iterator

import pytest

from tests.harness.mariadb import MariaDB
from tests.harness.postgres import PostgreSQL
from tests.harness.programs import missing
from tests.harness.redis import Redis
from tests.services import require
from tests.torture.leaks.planting import Services, refusing
from tests.torture.leaks.secrets import Secrets


@pytest.fixture
def secrets() -> Secrets:
    return Secrets()


@pytest.fixture(scope="module")
def services(postgresql: PostgreSQL, mariadb: MariaDB, private_redis: Redis) -> Iterator[Services]:
    try:
        import MySQLdb  # noqa: F401 - only whether it is there
    except ImportError:  # pragma: no cover - the client is installed, or this is not tested
        missing("mysqlclient is not installed")
    require("amqp")
    with refusing(postgresql, mariadb, private_redis) as services:
        yield services
