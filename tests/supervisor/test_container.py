"""What a supervisor keeps beside its server: port, webhooks, drain, metrics, version."""

import re
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dockerflow_django.client import drain_marker
from dockerflow_django.supervisor import container as module
from dockerflow_django.supervisor.channel import VERSION, Question
from dockerflow_django.supervisor.container import Container, ContainerError
from dockerflow_django.supervisor.known import OpenQuestion
from dockerflow_django.supervisor.probes import Verdict
from dockerflow_django.supervisor.settings import ContainerSettings
from dockerflow_django.webhooks.sender import SIGNATURE_HEADER
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port, accepts
from tests.harness.receiver import Receiver
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


def hasty(**more: Any) -> ContainerSettings:
    """Return settings by which silence is noticed soon."""
    return settings(silent_seconds=SILENT_SECONDS, start_seconds=START_SECONDS, **more)


@pytest.fixture
def container(ended: list[int]) -> Iterator[Container]:
    """Give a container without a probe port, which has not started."""
    container = Container(hasty())
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


def test_folder_that_cannot_be_emptied(
    ended: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder of the metrics that cannot be used is told, by a webhook too; no port is opened."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    folder = tmp_path / "counter_1.db"
    folder.mkdir()
    with Receiver() as receiver, Port() as port:
        told = {"probe_host": LOOPBACK, "probe_port": port.number, "webhook_url": receiver.url}
        container = Container(hasty(**told))
        with pytest.raises(ContainerError, match=f"^PROMETHEUS_MULTIPROC_DIR: .*: {folder}$"):
            container.start()
        assert not accepts(port.number)
        assert receiver.news() == [("startup", "failed")]
        assert str(folder) in receiver.posts[0].json()["traceback"]


def test_taken_port_leaves_the_folder_alone(
    ended: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of two containers in one place the second does not remove what the first one measures."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    measured = tmp_path / "counter_1.db"
    measured.touch()
    with socket.create_server((LOOPBACK, 0)) as taken:
        container = Container(hasty(probe_host=LOOPBACK, probe_port=taken.getsockname()[1]))
        with pytest.raises(ContainerError, match="Address already in use"):
            container.start()
    assert measured.exists()


def test_gauges_that_cannot_be_removed(
    container: Container,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """They stay, which is logged, and the worker is forgotten."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    (tmp_path / "gauge_liveall_12.db").mkdir()
    worker = container.pool.add(1)
    worker.process = SimpleNamespace(pid=12)
    container.remove(worker)
    assert container.pool.workers == []
    (line,) = caplog.messages
    assert re.fullmatch(r"The gauges of worker 1 stay: .*gauge_liveall_12\.db'", line)


def test_version_of_the_next_worker(container: Container, monkeypatch: pytest.MonkeyPatch) -> None:
    """If a worker does not tell its version in time, the next one is asked; then there is none."""
    monkeypatch.setattr(module, "VERSION_SECONDS", 0.5)
    container.start()
    silent, other = Versioned(container.probes, 1), Versioned(container.probes, 2)
    for worker in (silent, other):
        worker.serve()
        wait_until(lambda: worker.known.serves)  # noqa: B023
    told: list[str | None] = []
    ask = threading.Thread(target=lambda: told.append(container._ask_version()), daemon=True)
    ask.start()
    ask.join(30)
    assert told == [None]
    monkeypatch.setattr(module, "VERSION_SECONDS", 3)
    other.version = "1.2"
    assert container._ask_version() == "1.2"
    silent.version = "1.1"
    assert container._ask_version() == "1.1"


def test_version_of_a_worker_that_ends(
    container: Container, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a worker ends while it is asked, the next one is asked at once."""
    monkeypatch.setattr(module, "VERSION_SECONDS", 30)

    class Ending(FakeWorker):
        def _answer(self, question: Question) -> None:
            super()._answer(question)
            if question.name == VERSION:
                container.pool.remove(self.known)

    container.start()
    ending, other = Ending(container.probes, 1), Versioned(container.probes, 2)
    other.version = "1.2"
    for worker in (ending, other):
        worker.serve()
        wait_until(lambda: worker.known.serves)  # noqa: B023
    assert container._ask_version() == "1.2"


def test_stop_before_the_start(ended: list[int]) -> None:
    """A container that has not started closes the lines of its workers when it stops."""
    container = Container(hasty())
    worker = container.pool.add(1)
    container.stop()
    assert (worker.end.fileno(), worker.worker_end.fileno()) == (-1, -1)
    assert container.pool.workers == []


def test_probe_port(ended: list[int]) -> None:
    """The port answers from the start on, by what the settings say, and is free after the stop."""
    container = Container(hasty(probe_host=LOOPBACK, probe_port=0, shows_details=True))
    container.start()
    assert container.probe_port is not None
    address = container.probe_port.address
    found = http.request(address, "GET", "/__heartbeat__/readiness")
    assert (found.status, "details" in found.json()) == (503, True)
    container.change(
        settings(silent_seconds=1.0, start_seconds=2.0, shows_details=False, drain_seconds=3.0)
    )
    found = http.request(address, "GET", "/__heartbeat__/readiness")
    assert (found.status, "details" in found.json()) == (503, False)
    assert (container.probes.silent_seconds, container.probes.start_seconds) == (1.0, 2.0)
    assert container.drain() == 3.0
    container.stop()
    assert not accepts(address[1])


@pytest.mark.parametrize(("host", "shown"), [(LOOPBACK, LOOPBACK), ("::1", "[::1]")])
def test_port_that_is_taken(container: Container, host: str, shown: str) -> None:
    """A port that cannot be had is told with its address and the reason."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as taken:
        port = taken.getsockname()[1]
        values = {**asdict(container.settings), "probe_host": host, "probe_port": port}
        container.settings = ContainerSettings(**values)
        with pytest.raises(ContainerError) as caught:
            container.start()
    assert str(caught.value) == f"the probe port {shown}:{port}: Address already in use"


def test_webhooks(ended: list[int]) -> None:
    """Changes are told to a receiver, signed, and at last why nothing was served."""
    with Receiver() as receiver:
        container = Container(hasty(webhook_url=receiver.url, webhook_secret="s3cret"))
        container.start()
        container.probes.on_change("liveness", "passed", Verdict("failed", 40))
        container.stop("no brain")
        assert receiver.news() == [("liveness", "failed"), ("startup", "failed")]
        assert "no brain" in receiver.posts[-1].json()["traceback"]
        assert SIGNATURE_HEADER in receiver.posts[-1].headers


def test_stop_without_a_problem(ended: list[int]) -> None:
    """A receiver is told of no failure if there was none."""
    with Receiver() as receiver:
        container = Container(hasty(webhook_url=receiver.url))
        container.start()
        container.stop()
        assert receiver.posts == []


def test_drain(container: Container, tmp_path: Path) -> None:
    """A drain lasts as long as the settings say, and from the moment when it was begun."""
    marker = str(tmp_path / "drain")
    values = {**asdict(container.settings), "drain_seconds": 3600.0}
    container.settings = ContainerSettings(**values)
    assert container.drain() == 3600.0
    assert container.pool.is_draining
    container.settings = ContainerSettings(**{**values, "drain_path": marker})
    assert container.drain() == 3600.0
    began = drain_marker.create(marker)
    left = container.drain()
    assert 0 <= 3600.0 - left <= time.monotonic() - began
    container.settings = ContainerSettings(
        **{**values, "drain_path": marker, "drain_seconds": 1e-9}
    )
    assert container.drain() == 0.0


def test_problem(container: Container) -> None:
    """What the last worker said counts until one has served."""
    assert container.problem == ""
    container.pool.problem = "no brain"
    assert container.problem == "no brain"
    container.probes.has_served = True
    assert container.problem == ""


def test_version_of_a_silent_worker(container: Container) -> None:
    """A worker that does not answer is not asked, and one that does not serve neither."""
    silent, starting = container.pool.add(1), container.pool.add(2)
    silent.serves = True
    silent.spoke_at = 0.0
    silent.open[0] = OpenQuestion("ping", 0.0)
    container.pool.clock.seconds = SILENT_SECONDS + 1
    assert container._ask_version() is None
    assert list(silent.open) == [0]
    assert starting.open == {}
