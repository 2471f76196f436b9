"""A broker's corner for each test."""

from collections.abc import Iterator

import pytest

from tests.harness.project import Project
from tests.services import redis_url, require
from tests.tasks.celery.workers import Celeryd


@pytest.fixture
def celeryd(project: Project) -> Iterator[Celeryd]:
    """Give a corner of Redis, and the project to work in it."""
    require("redis")
    found = Celeryd(project, redis_url())
    yield found
    found.close()
