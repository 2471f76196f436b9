"""A page that begins anew for each test."""

from collections.abc import Iterator

import pytest
from django.test import override_settings

from dockerflow_django import testing
from dockerflow_django.endpoints.page import changes
from tests.endpoints.page.states import HOSTILE

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    testing.reset()
    changes.reset()
    with override_settings(DOCKERFLOW_CHECK_TIMEOUT=10):
        yield
    testing.reset()
    changes.reset()


@pytest.fixture
def shown() -> Iterator[None]:
    """Show details of checks of every state, in a project that has no template engine."""
    version = {"version": "2026.11.1", "commit": "9f2c4e1", "source": "javascript:alert(3)"}
    with override_settings(
        DOCKERFLOW_CHECKS=HOSTILE,
        DOCKERFLOW_PROBES={"readiness": [HOSTILE[1]]},
        DOCKERFLOW_HEARTBEAT_DETAILS="always",
        DOCKERFLOW_VERSION_CALLBACK=lambda root: version,
        TEMPLATES=[],
    ):
        yield
