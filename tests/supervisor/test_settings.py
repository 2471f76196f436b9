"""What a supervisor learns of the settings, here or from a child."""

import logging
import os
import signal
from typing import Any

import pytest

from dockerflow_django.supervisor.settings import findings, read_settings
from dockerflow_django.supervisor.settings_child import SettingsError, read_in_child

# The child ends after it has read the settings: it needs none of the threads.
pytestmark = pytest.mark.filterwarnings(
    "ignore:This process .* is multi-threaded:DeprecationWarning"
)
log = logging.getLogger("tests.settings")


def test_findings(settings: Any) -> None:
    """Each finding is one line, errors apart from the rest; one that is silenced is none."""
    settings.DOCKERFLOW_DRAIN_SECONDS = "soon"
    (error,), others = findings()
    assert "DOCKERFLOW_DRAIN_SECONDS" in error
    settings.SILENCED_SYSTEM_CHECKS = [error.partition(":")[0]]
    assert findings() == ([], others)


def test_child() -> None:
    """A child reads what this process would read."""
    assert read_in_child(lambda: None, log) == read_settings()


def test_child_finds_errors(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """An error that the system checks find is logged, and refuses the settings."""
    settings.DOCKERFLOW_DRAIN_SECONDS = "soon"
    with pytest.raises(SettingsError, match="the settings are wrong, see above"):
        read_in_child(lambda: None, log)
    assert "DOCKERFLOW_DRAIN_SECONDS" in caplog.text


def test_child_that_is_killed() -> None:
    """If the child ends before it has told anything, that is said."""
    with pytest.raises(SettingsError, match="the process that read them has ended"):
        read_in_child(lambda: os.kill(os.getpid(), signal.SIGKILL), log)


def test_project_that_cannot_be_loaded() -> None:
    """What a project raises is told in a line, without its secrets."""

    def load() -> None:
        raise RuntimeError("no\nbrain: password=hunter2")

    with pytest.raises(SettingsError) as caught:
        read_in_child(load, log)
    assert str(caught.value).startswith("the project cannot be loaded: RuntimeError: no brain")
    assert "hunter2" not in str(caught.value)
