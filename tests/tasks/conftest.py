"""A background worker's probes in this process, a path and a port for them, and tasks' records."""

import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from dockerflow_django import testing
from dockerflow_django.tasks import record
from dockerflow_django.tasks.probes import WorkerProbes
from tests.harness.ports import LOOPBACK, Port


@pytest.fixture
def path(tmp_path: Path, settings: Any) -> Path:
    """Have the probes written to a file."""
    settings.DOCKERFLOW_PROBE_FILE = str(tmp_path / "probes")
    return tmp_path / "probes"


@pytest.fixture
def address(settings: Any) -> Iterator[tuple[str, int]]:
    """Have the probes answered on a port."""
    with Port() as port:
        settings.DOCKERFLOW_PROBE_HOST = LOOPBACK
        settings.DOCKERFLOW_PROBE_PORT = port.number
        yield LOOPBACK, port.number


@pytest.fixture
def fresh() -> Iterator[None]:
    """Begin and end with a process that has not started, posts nothing, and logs as it did."""
    testing.reset()
    logger = logging.getLogger("dockerflow_django")
    level = logger.level
    yield
    logger.setLevel(level)
    testing.reset()


@pytest.fixture
def start(fresh: None) -> Iterator[Callable[..., WorkerProbes]]:
    """Start probes that say what they are given; they stop with the test."""
    with ExitStack() as stack:

        def begin(**more: Any) -> WorkerProbes:
            asked = {"liveness": list, "readiness": list, **more}
            probes = WorkerProbes("worker", **asked)
            probes.start()
            stack.callback(probes.stop)
            return probes

        yield begin


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Callable[[], list[logging.LogRecord]]:
    """Give a function that returns the tasks' records so far."""
    caplog.set_level(logging.INFO, record.SUMMARY_LOGGER)

    def found() -> list[logging.LogRecord]:
        return [each for each in caplog.records if each.name == record.SUMMARY_LOGGER]

    return found
