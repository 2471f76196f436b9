"""The rule about what a move from python-dockerflow left behind."""

from functools import partial
from typing import Any

import pytest
from django.test import override_settings

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
    with override_settings(LOGGING_CONFIG=None, **{name: value}):
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
