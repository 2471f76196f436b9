"""The rule about what a move from python-dockerflow left behind."""

import logging
from collections.abc import Iterator
from functools import partial
from importlib.metadata import PackageNotFoundError
from types import ModuleType
from typing import Any
from unittest.mock import patch

import pytest
from django.conf import settings
from django.test import override_settings

from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.system_checks import leftovers
from tests.system_checks import messages, sentences

OLD_MIDDLEWARE = "dockerflow.django.middleware.DockerflowMiddleware"


@pytest.mark.parametrize(
    ("name", "value", "place", "new"),
    [
        (
            "MIDDLEWARE",
            [OLD_MIDDLEWARE],
            "MIDDLEWARE[0]",
            "dockerflow_django.middleware.DockerflowMiddleware",
        ),
        (
            "LOGGING",
            {"formatters": {"json": {"()": "dockerflow.logging.JsonLogFormatter"}}},
            "LOGGING['formatters']['json']['()']",
            "dockerflow_django.logging.JsonLogFormatter",
        ),
        (
            "DOCKERFLOW_CHECKS",
            ["a.b", "dockerflow.django.checks.check_redis_connected"],
            "DOCKERFLOW_CHECKS[1]",
            "dockerflow_django.checks.check_redis_connected",
        ),
        (
            "DOCKERFLOW_PROBES",
            {"startup": [("dockerflow.django.checks.check_migrations_applied", {})]},
            "DOCKERFLOW_PROBES['startup'][0][0]",
            "dockerflow_django.checks.check_migrations_applied",
        ),
        (
            "INSTALLED_APPS",
            ["dockerflow_django", "dockerflow.django"],
            "INSTALLED_APPS[1]",
            "dockerflow_django",
        ),
        (
            "SHOP_FORMATTERS",
            {"json": ({"dockerflow.logging.MozlogFormatter"}, 5)},
            "SHOP_FORMATTERS['json'][0]",
            "dockerflow_django.logging.MozlogFormatter",
        ),
        (
            "DOCKERFLOW_VERSION_CALLBACK",
            "dockerflow.version.get_version",
            "DOCKERFLOW_VERSION_CALLBACK",
            "dockerflow_django.version.get_version",
        ),
    ],
)
def test_a_path_of_python_dockerflow_is_an_error(
    name: str, value: Any, place: str, new: str
) -> None:
    """The message says where it stands, and the hint what to write."""
    with override_settings(LOGGING_CONFIG=None), patch.object(settings, name, value, create=True):
        (message,) = messages("dockerflow.E007")
    assert message.msg.startswith(f"{place} is python-dockerflow's 'dockerflow.")
    assert message.hint == f"Write {new!r}."


def test_an_object_of_python_dockerflow_is_an_error() -> None:
    """A class that was imported in the settings is found by its module."""

    def formatter() -> None:
        """Stand for the class."""

    formatter.__module__, formatter.__qualname__ = "dockerflow.logging", "JsonLogFormatter"
    logging = {"formatters": {"json": {"()": formatter}}}
    with override_settings(LOGGING_CONFIG=None, LOGGING=logging):
        (sentence,) = sentences("dockerflow.E007")
    assert "python-dockerflow's 'dockerflow.logging.JsonLogFormatter'" in sentence


@pytest.mark.parametrize(
    "value",
    [
        ["dockerflow.health.W001"],
        ["dockerflow_django.checks.check_database_connected"],
        ["dockerflow.shop.checks.check_stock"],
        ["mydockerflow.logging.check"],
        [partial(print), print, 5, None],
        None,
    ],
)
def test_other_paths_are_no_leftovers(value: Any) -> None:
    """A project may be called dockerflow too, and a setting may hold what it likes."""
    with override_settings(DOCKERFLOW_CHECKS=value):
        assert sentences("dockerflow.E007") == []


@override_settings(MIDDLEWARE=[OLD_MIDDLEWARE])
def test_the_old_middleware_is_not_told_twice() -> None:
    """Renamed, it is the middleware that another rule would miss."""
    assert sentences("dockerflow.W004") == []


@override_settings(
    LOGGING_CONFIG=None, LOGGING={"loggers": {"dockerflow.django": {"level": "INFO"}}}
)
def test_a_logger_s_name_is_no_path() -> None:
    """What stands as a key is a name."""
    assert sentences("dockerflow.E007") == []


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        (
            "SILENCED_SYSTEM_CHECKS",
            ["models.W001", "dockerflow_django.health.W001"],
            "SILENCED_SYSTEM_CHECKS[1]",
        ),
        (
            "SHOP_ALERTS",
            {"dockerflow_django.health.W001": "page"},
            "SHOP_ALERTS['dockerflow_django.health.W001']",
        ),
    ],
)
def test_a_changed_id_is_told(name: str, value: Any, place: str) -> None:
    """The ids of messages do not move with the modules: silenced by a new name is not silenced."""
    with override_settings(**{name: value}):
        (message,) = messages("dockerflow.W014")
    assert message.msg.startswith(f"{place} is 'dockerflow_django.health.W001', but ")
    assert message.hint == "Write 'dockerflow.health.W001'."


@pytest.fixture
def loggers(monkeypatch: pytest.MonkeyPatch) -> Iterator[logging.Manager]:
    """Give loggers of their own to the process."""
    manager = logging.Manager(logging.RootLogger(logging.WARNING))
    monkeypatch.setattr(logging.root, "manager", manager)
    return manager


@pytest.mark.parametrize(
    ("name", "new"),
    [
        ("dockerflow", "dockerflow_django"),
        ("dockerflow.django", "dockerflow_django"),
        ("dockerflow.checks.registry", "dockerflow_django.checks"),
    ],
)
def test_a_logger_of_the_old_name_is_told(loggers: logging.Manager, name: str, new: str) -> None:
    """It has a handler or a level, and no record reaches it."""
    loggers.getLogger(name).setLevel(logging.INFO)
    (message,) = messages("dockerflow.W015")
    assert message.msg.startswith(f"The logger {name!r} is set up, but ")
    assert message.hint == f"Give the name {new!r} to it."


def test_other_loggers_are_left_alone(loggers: logging.Manager) -> None:
    """One that nobody has set up says nothing, and neither does one of another name."""
    loggers.getLogger("dockerflow.django").propagate = True
    loggers.getLogger("dockerflowers").setLevel(logging.INFO)
    assert sentences("dockerflow.W015") == []


def test_loggers_of_a_project_called_dockerflow(
    loggers: logging.Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A project may bear that name: its loggers are its own."""

    def uninstalled(name: str) -> None:
        raise PackageNotFoundError(name)

    loggers.getLogger("dockerflow.shop").setLevel(logging.INFO)
    monkeypatch.setattr(leftovers, "find_spec", ModuleType)
    monkeypatch.setattr(leftovers, "distribution", uninstalled)
    assert sentences("dockerflow.W015") == []
    monkeypatch.setattr(leftovers, "distribution", lambda name: name)
    assert len(sentences("dockerflow.W015")) == 1


class ExtraMeta(DockerflowMiddleware):
    """Override what python-dockerflow calls."""

    def _build_extra_meta(self, request: object) -> dict[str, Any]:
        return {}  # pragma: no cover - that is the point


class OwnCall(DockerflowMiddleware):
    """Override what is called."""

    def __call__(self, request: object) -> Any:
        return None  # pragma: no cover - not called here


@pytest.mark.parametrize("name", ["process_request", "process_response", "viewpatterns"])
def test_what_is_never_called_is_told(name: str) -> None:
    """Every such part has a word about what to do instead."""
    with override_settings(MIDDLEWARE=[f"{__name__}.OwnCall"]):
        assert sentences("dockerflow.W016") == []
        with patch.object(OwnCall, name, None, create=True):
            (sentence,) = sentences("dockerflow.W016")
    assert sentence.startswith(f"{__name__}.OwnCall has {name!r}, which ")


def test_an_overridden_summary_is_told() -> None:
    """What a subclass adds to the summary there, a setting adds here."""
    middleware = [f"{__name__}.ExtraMeta", "shop.nothing", f"{__name__}.test_what_is_never_called"]
    with override_settings(MIDDLEWARE=middleware):
        (message,) = messages("dockerflow.W016")
    assert "'_build_extra_meta'" in message.msg
    assert message.hint is not None
    assert "DOCKERFLOW_SUMMARY_EXTRA" in message.hint
