"""The record of a task, however it is handled."""

import logging

import pytest

from dockerflow_django.tasks.record import SUCCESS, SUMMARY_LOGGER, write


def test_filter_that_raises(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """What a project's log filter raises does not reach the worker that has run the task."""
    caplog.set_level(logging.INFO, SUMMARY_LOGGER)
    breaks = logging.Filter()
    breaks.filter = lambda record: record.args[0]  # type: ignore[index, assignment, return-value]
    logger = logging.getLogger(SUMMARY_LOGGER)
    logger.addFilter(breaks)
    try:
        write({"task": "shop.pack", "state": SUCCESS})
    finally:
        logger.removeFilter(breaks)
    assert "IndexError" in capfd.readouterr().err
