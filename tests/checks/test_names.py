"""Keys and names do not depend on what was imported, and are the same in every process."""

import subprocess
import sys
from functools import partial, wraps
from typing import Any

import pytest
from django.test import override_settings

from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import configuration
from tests.checks.test_registry import StockChecker, check_shelves, check_stock, stock_checker

HERE = "tests.checks.test_registry"
SHIPPED = "dockerflow_django.checks.database.check_database_connected"

# Prints the names, with and without the modules of the checks imported first, in either order.
SCRIPT = """
import os, sys
import django
from django.conf import settings
path = "tests.checks.test_registry"
settings.configure(
    DOCKERFLOW_CHECKS=[path + ".stock_checker", "tests.project.checks.stock_checker",
                       "dockerflow_django.checks.check_database_connected",
                       "dockerflow_django.checks.database.check_database_connected"],
    INSTALLED_APPS=["dockerflow_django"],
)
django.setup()
for module in sys.argv[1:]:
    __import__(module)
from django.core import checks
from functools import partial
def check_odd(app_configs, **kwargs): return []
class Odd:
    def __init__(self, shelf): self.shelf = shelf
    def __call__(self, app_configs, **kwargs): return []
odd = [partial(check_odd, 7, shelf=n) for n in range(8)] + [Odd(n) for n in range(8)]
for each in odd:
    checks.register(each, "heartbeat")
from dockerflow_django.checks.registry import configuration
for name, check in configuration()["heartbeat"]:
    print(name, check.key[1], *getattr(check.target, "keywords", {}).items(),
          getattr(check.target, "shelf", ""))
"""


@pytest.mark.long
def test_every_process_has_the_same_names_in_the_same_order() -> None:
    """Whatever was imported first, and however Python hashes, two workers agree."""
    imports = [(), ("tests.checks.test_registry",), ("dockerflow_django.checks.database",)]
    seen = {
        subprocess.run(
            [sys.executable, "-c", SCRIPT, *modules],
            env={"PYTHONHASHSEED": str(seed), "PYTHONPATH": "."},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed, modules in enumerate(imports)
    }
    (printed,) = seen
    assert printed.startswith("tests.checks.test_registry.stock_checker ")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (f"{HERE}.check_stock", check_stock),
        (SHIPPED, "dockerflow_django.checks.check_database_connected"),
        (partial(check_stock, 1, shelf=[2]), partial(check_stock, 1, shelf=[2])),
        (partial(check_stock, b=1, a=2), partial(check_stock, a=2, b=1)),
        (stock_checker.__call__, stock_checker.__call__),
    ],
)
def test_two_ways_to_write_a_check_are_one_check(one: Any, other: Any) -> None:
    """It has one key, and so one run at a time."""
    assert Check(one).key == Check(other).key


def wrapped() -> Any:
    """Return a function that claims another's name."""

    @wraps(check_stock)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        return check_stock(*args, **kwargs)

    return wrapper


class Unprintable:
    """A keyword whose repr raises."""

    def __repr__(self) -> str:
        raise LookupError


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (Check(check_stock), Check(check_shelves)),
        (Check(check_stock), Check(wrapped())),
        (Check(wrapped()), Check(wrapped())),
        (Check(StockChecker()), Check(StockChecker())),
        (Check(StockChecker().__call__), Check(stock_checker.__call__)),
        (Check(check_stock, {"a": 1}), Check(check_stock, {"a": "1"})),
        (Check(check_stock, {"a": Unprintable()}), Check(check_stock, {"a": Unprintable()})),
        (Check(lambda **_: []), Check(lambda **_: [])),
    ],
)
def test_two_checks_have_two_keys(one: Check, other: Check) -> None:
    """A check never shows what another found."""
    assert one.key != other.key
    assert one.key == one.key


def test_a_check_has_one_name_in_all_probes() -> None:
    """A probe's own namesake is told apart, and the heartbeat's names do not change by it."""

    def check_shelves(app_configs: object) -> list[object]:
        return []

    check_shelves.__module__ = "shop.health"
    own = [f"{HERE}.check_stock", (check_stock, {"shelf": 2}), check_shelves]
    with override_settings(
        DOCKERFLOW_CHECKS=[check_stock, f"{HERE}.check_shelves"],
        DOCKERFLOW_PROBES={"readiness": own, "startup": own[1:]},
    ):
        names = {probe: [name for name, _ in each] for probe, each in configuration().items()}
    assert names == {
        "heartbeat": ["check_stock", "check_shelves"],
        "liveness": [],
        "readiness": ["check_stock", "check_stock (readiness)", "shop.health.check_shelves"],
        "startup": ["check_stock (readiness)", "shop.health.check_shelves"],
    }
