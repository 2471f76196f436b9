"""Checks of every state, and a heartbeat of them."""

from collections.abc import Callable, Iterator

import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.test import override_settings

from dockerflow_django import testing
from dockerflow_django.endpoints.page import changes

BROWSER = {"accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
LONG = "A long story. " * 7_500

Check = Callable[..., list[CheckMessage]]


def check_of(name: str, *messages: CheckMessage) -> Check:
    """Make a check of that name with that answer."""

    def check(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        return list(messages)

    check.__name__ = name
    return check


HOSTILE = [
    check_of("check_mail"),
    check_of("<script>alert(1)</script>", checks.Error("</td><script>alert(2)</script>")),
    check_of("check_stories", checks.Warning(LONG, id="shop.W001"), checks.Info("x" * 900)),
    check_of("check_many", *(checks.Info(f"message {n}", id="shop.I001") for n in range(200))),
]


@pytest.fixture(autouse=True)
def _anew() -> Iterator[None]:
    testing.reset()
    changes.reset()
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
