"""The rule about checks in Django's own registry."""

from collections.abc import Iterator
from functools import partial
from typing import Any

import pytest
from django.core import checks
from django.core.checks.registry import registry

from tests.system_checks import sentences

HERE = __name__


def check_stock(app_configs: object, **kwargs: Any) -> None:
    """Stand for a check that asks a service."""


@pytest.fixture(autouse=True)
def own_registry() -> Iterator[None]:
    """Leave Django's registry as it was."""
    before = set(registry.registered_checks), set(registry.deployment_checks)
    yield
    registry.registered_checks, registry.deployment_checks = before


def test_a_check_that_django_runs_is_told() -> None:
    """A migration would fail because a cache is down: the check belongs elsewhere (D4)."""
    checks.register(check_stock, "readiness")
    checks.register(partial(check_stock), "heartbeat", deploy=True)
    (sentence,) = sentences("dockerflow.W010")
    assert sentence.startswith(f"Django runs {HERE}.check_stock, {HERE}.check_stock with its comm")


@pytest.mark.long
def test_other_checks_are_django_s() -> None:
    """What is registered under other tags is nothing of ours."""
    assert sentences("dockerflow.W010") == []
