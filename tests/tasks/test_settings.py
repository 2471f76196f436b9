"""A background worker looks at the settings before it starts."""

from typing import Any

import pytest

from dockerflow_django.tasks.probes import ProbesError
from dockerflow_django.tasks.settings import check_settings


def test_wrong(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A wrong value is logged with its name, what it must be and the value, and is an error."""
    settings.DOCKERFLOW_PROBE_PORT = 90000
    with pytest.raises(ProbesError, match="the settings are wrong, see above"):
        check_settings()
    (line,) = [each for each in caplog.records if "DOCKERFLOW_PROBE_PORT" in each.getMessage()]
    assert line.levelname == "ERROR"
    assert "90000" in line.getMessage()


def test_silenced(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A system check that the project silences is neither logged nor an error."""
    settings.DOCKERFLOW_PROBE_PORT = 90000
    settings.SILENCED_SYSTEM_CHECKS = ["dockerflow.E001"]
    check_settings()
    assert "dockerflow.E001" not in caplog.text


def test_warning(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A warning is logged, and the worker starts."""
    settings.DOCKERFLOW_PROBE_PORT = 8001
    check_settings()
    (line,) = [each for each in caplog.records if "dockerflow.W017" in each.getMessage()]
    assert line.levelname == "WARNING"
