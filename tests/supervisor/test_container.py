"""What a supervisor keeps beside its server: the metrics' folder, the workers' version."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockerflow_django.supervisor import container as module
from dockerflow_django.supervisor.channel import VERSION, Question
from dockerflow_django.supervisor.container import Container
from tests.harness.waiting import wait_until
from tests.supervisor.conftest import SILENT_SECONDS, START_SECONDS, FakeWorker
from tests.supervisor.test_answers import settings


class Versioned(FakeWorker):
    """A worker that knows a version, or does not answer the question."""

    version: str | None = None

    def _answer(self, question: Question) -> None:
        super()._answer(question)
        if question.name == VERSION and self.version is not None:
            self.channel.send_answer(question, {"version": self.version})


@pytest.fixture
def container(ended: list[int]) -> Iterator[Container]:
    """Give a container without a probe port, which has not started."""
    container = Container(settings(silent_seconds=SILENT_SECONDS, start_seconds=START_SECONDS))
    yield container
    for worker in container.pool.workers:
        container.pool.remove(worker)
    container.stop()
    wait_until(lambda: container.pool._waker.fileno() == -1)


def test_values_of_the_dead(
    container: Container, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The start empties the folder of the metrics, and a dead worker's gauges go with it."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "counter_1.db").write_bytes(b"of an earlier life")
    container.start()
    assert list(tmp_path.iterdir()) == []
    worker = FakeWorker(container.probes, 1)
    worker.known.process = SimpleNamespace(pid=12)
    for name in ("gauge_liveall_12.db", "gauge_liveall_13.db", "counter_12.db"):
        (tmp_path / name).touch()
    container.remove(worker.known)
    assert {file.name for file in tmp_path.iterdir()} == {"gauge_liveall_13.db", "counter_12.db"}


def test_version_of_the_next_worker(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a worker does not tell its version in time, the next one is asked; then there is none."""
    monkeypatch.setattr(module, "VERSION_SECONDS", 0.5)
    container.start()
    silent, other = Versioned(container.probes, 1), Versioned(container.probes, 2)
    for worker in (silent, other):
        worker.serve()
        wait_until(lambda: worker.known.serves)  # noqa: B023
    assert container._ask_version() is None
    other.version = "1.2"
    assert container._ask_version() == "1.2"
    silent.version = "1.1"
    assert container._ask_version() == "1.1"


def test_stop_before_the_start(ended: list[int]) -> None:
    """A container that has not started closes the lines of its workers when it stops."""
    container = Container(settings(silent_seconds=SILENT_SECONDS, start_seconds=START_SECONDS))
    worker = container.pool.add(1)
    container.stop()
    assert (worker.end.fileno(), worker.worker_end.fileno()) == (-1, -1)
    assert container.pool.workers == []
