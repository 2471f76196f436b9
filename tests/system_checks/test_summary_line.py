"""The rule about the way of a request's summary into the log."""

import logging
from collections.abc import Iterator
from logging.handlers import MemoryHandler, QueueHandler
from queue import SimpleQueue

import pytest
from django.test import override_settings

from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.summary.record import logger
from tests.system_checks import sentences

ID = "dockerflow.W007"


class OwnFormatter(MozlogFormatter):
    """A project's own version of ours."""


@pytest.fixture(autouse=True)
def root() -> Iterator[logging.Logger]:
    """Give the loggers as a process without a LOGGING has them; the root stands in for the real."""
    root, parent, level = logging.RootLogger(logging.WARNING), logger.parent, logger.level
    logger.parent = root
    logger.manager._clear_cache()  # type: ignore[attr-defined]
    yield root
    logger.parent, logger.level, logger.propagate, logger.disabled = parent, level, True, False
    logger.handlers.clear()
    logger.manager._clear_cache()  # type: ignore[attr-defined]


def handler(formatter: logging.Formatter | None, level: int = logging.NOTSET) -> logging.Handler:
    """Make a handler with that formatter."""
    made = logging.StreamHandler()
    made.setFormatter(formatter)
    made.setLevel(level)
    return made


def test_the_default_logging_loses_summaries() -> None:
    """Django configures no handler for them, and the root stops at WARNING."""
    (sentence,) = sentences(ID)
    assert sentence.endswith("are lost: logger 'request.summary' is at level WARNING.")


@pytest.mark.parametrize("formatter", [MozlogFormatter(), OwnFormatter()])
def test_a_formatter_of_ours_on_the_root_is_well(
    root: logging.Logger, formatter: logging.Formatter
) -> None:
    """It is what ``logging_config`` gives; a subclass does as well."""
    root.addHandler(handler(formatter))
    root.setLevel(logging.INFO)
    assert sentences(ID) == []


def test_a_formatter_of_ours_on_the_logger_is_well() -> None:
    """It is what python-dockerflow's documentation shows."""
    logger.addHandler(handler(MozlogFormatter()))
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    assert sentences(ID) == []


@pytest.mark.parametrize("formatter", [None, logging.Formatter("%(message)s")])
def test_another_formatter_is_told(
    root: logging.Logger, formatter: logging.Formatter | None
) -> None:
    """The message of a summary is empty: without its fields the line says nothing."""
    root.addHandler(handler(formatter))
    root.setLevel(logging.INFO)
    assert sentences(ID) == [
        "No handler of logger 'request.summary' writes the fields of a request's summary."
    ]


def test_one_handler_of_many_does(root: logging.Logger) -> None:
    """A second handler may write what it likes."""
    root.setLevel(logging.INFO)
    root.addHandler(handler(None))
    root.addHandler(handler(MozlogFormatter()))
    assert sentences(ID) == []


def test_a_handler_that_is_not_reached_does_not(root: logging.Logger) -> None:
    """Neither one above a logger that does not propagate, nor one that stops at WARNING."""
    root.setLevel(logging.INFO)
    root.addHandler(handler(MozlogFormatter(), logging.WARNING))
    assert len(sentences(ID)) == 1
    root.addHandler(handler(MozlogFormatter()))
    assert sentences(ID) == []
    logger.propagate = False
    assert len(sentences(ID)) == 1


@pytest.mark.parametrize("made", [QueueHandler(SimpleQueue()), MemoryHandler(10)])
def test_a_handler_that_hands_on_is_trusted(root: logging.Logger, made: logging.Handler) -> None:
    """Who writes in the end cannot be seen from here."""
    root.setLevel(logging.INFO)
    root.addHandler(made)
    assert sentences(ID) == []
    made.close()


def test_who_gave_the_logger_a_null_handler_has_decided() -> None:
    """It is the documented way to switch a logger off."""
    logger.addHandler(logging.NullHandler())
    logger.setLevel(logging.INFO)
    logger.propagate = False
    assert sentences(ID) == []


def test_a_logger_that_was_disabled_is_told(root: logging.Logger) -> None:
    """``disable_existing_loggers`` is on where nobody turns it off."""
    root.setLevel(logging.INFO)
    logger.disabled = True
    (sentence,) = sentences(ID)
    assert sentence.endswith("is disabled.")


def test_who_turned_summaries_down_has_decided() -> None:
    """A level of the logger's own is no accident."""
    logger.setLevel(logging.ERROR)
    assert sentences(ID) == []


@pytest.mark.parametrize("settings", [{"DEBUG": True}, {"LOGGING_CONFIG": None}])
def test_who_debugs_or_configures_logging_later_is_left_alone(settings: dict[str, object]) -> None:
    """There the configuration is not that of the service, or not there yet."""
    with override_settings(**settings):
        assert sentences(ID) == []
