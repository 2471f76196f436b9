"""The project that these surroundings are for."""

import pytest

from tests.harness.project import Project


@pytest.fixture
def project(project: Project) -> Project:
    """Give every check time: how fast the machine is shows elsewhere."""
    return project.with_environ(DOCKERFLOW_CHECK_TIMEOUT="10")
