"""What an operator may find at ``/__heartbeat__``: the states in which the page is looked at."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage
from django.test import override_settings

from dockerflow_django import lifecycle

LONG = "A long story. " * 7_500
Check = Callable[..., list[CheckMessage]]


def check_of(name: str, *messages: CheckMessage) -> Check:
    """Make a check of that name with that answer."""

    def check(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        return list(messages)

    check.__name__ = name
    return check


@dataclass(frozen=True)
class State:
    """The settings of a project, and what happens to its process."""

    settings: dict[str, Any]
    happens: Callable[[], None] = field(default=lambda: None)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Put the process into this state."""
        shown = {"DOCKERFLOW_HEARTBEAT_DETAILS": "always", "TEMPLATES": []}
        version = {"version": "2026.11.1", "commit": "9f2c4e1", "source": "javascript:alert(3)"}
        shown["DOCKERFLOW_VERSION_CALLBACK"] = lambda root: version
        with override_settings(**{**shown, **self.settings}):
            self.happens()
            yield


DATABASE = check_of("check_database_connected")
PASSING = [DATABASE, *map(check_of, ("check_caches", "check_mail", "check_storage"))]
READY = {"readiness": [DATABASE]}
DISK = checks.Warning("Less than 10 % of the disk are free.", id="dockerflow.health.W002")
UNAPPLIED = checks.Info("No migrations can be found.", id="dockerflow.health.I001")
BROKER = checks.Error("The broker cannot be reached.", id="dockerflow.health.E013")
HINT = checks.Error(
    "3 orders wait for more than an hour.",
    hint="See whether the worker of the queue 'orders' runs.",
    id="shop.E001",
)
RAISED = checks.Critical("The check raised RuntimeError.", id="dockerflow.health.C001")
FAILING = [
    *PASSING,
    check_of("check_disk_space", DISK),
    check_of("check_celery_broker", BROKER),
    check_of("check_orders_of_partners_in_the_warehouse", HINT, UNAPPLIED),
    check_of("check_invoices", RAISED),
    check_of("check_migrations_applied", UNAPPLIED),
]
LONG_NAME = "check_" + "_".join(["whether_the_partners_stock"] * 4)
HOSTILE = [
    check_of("check_mail"),
    check_of("<script>alert(1)</script>", checks.Error("</td><script>alert(2)</script>")),
    check_of("check_stories", checks.Warning(LONG, id="shop.W001"), checks.Info("x" * 900)),
    check_of("check_many", *(checks.Info(f"message {n}", id="shop.I001") for n in range(200))),
]
MANY = [
    *HOSTILE,
    check_of(LONG_NAME, checks.Error("No stock.", id=f"shop.{'E' * 90}", hint="h" * 300)),
    check_of("check" * 40),
    *(check_of(f"check_the_door_number_{n}") for n in range(40)),
]


def _drain() -> None:
    lifecycle.process.drain()
    lifecycle.set_ready(False, "the warehouse is closed for maintenance")


STATES = {
    "all pass": State({"DOCKERFLOW_CHECKS": PASSING, "DOCKERFLOW_PROBES": READY}),
    "some fail": State(
        {"DOCKERFLOW_CHECKS": FAILING, "DOCKERFLOW_PROBES": {"readiness": [FAILING[5], DATABASE]}}
    ),
    "warnings": State(
        {
            "DOCKERFLOW_CHECKS": [FAILING[4], FAILING[8], *PASSING],
            "DOCKERFLOW_HEARTBEAT_FAIL_LEVEL": "ERROR",
            "DOCKERFLOW_PROBES": READY,
        }
    ),
    "starting and draining": State(
        {"DOCKERFLOW_CHECKS": PASSING, "DOCKERFLOW_PROBES": {"startup": [FAILING[5]]}}, _drain
    ),
    "unreadable configuration": State({"DOCKERFLOW_CHECKS": 5, "DOCKERFLOW_PROBES": {"ready": []}}),
    "many checks with long names": State(
        {"DOCKERFLOW_CHECKS": MANY, "DOCKERFLOW_PROBES": {"liveness": MANY, "readiness": MANY}}
    ),
}
