"""The probes of a background worker: by file, by port, by webhook, from what is known already."""

import gzip
import json
import os
import socket
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.client import drain_marker, probe_file
from dockerflow_django.lifecycle import process
from dockerflow_django.tasks.probe_file import ProbeFile
from dockerflow_django.tasks.probes import ProbesError, WorkerProbes
from tests.harness import http
from tests.harness.receiver import Receiver
from tests.harness.waiting import wait_until
from tests.tasks.probed import outcomes, status

Start = Callable[..., WorkerProbes]
Address = tuple[str, int]


def all_pass(address: Address) -> bool:
    return {status(address, probe) for probe in probe_file.PROBES} == {200}


def test_port(start: Start, address: Address) -> None:
    """The port answers the three probes, the lbheartbeat and the metrics, and nothing else."""
    start()
    wait_until(lambda: all_pass(address))
    assert http.request(address, "GET", "/__lbheartbeat__").status == 200
    metrics = http.request(address, "GET", "/__metrics__")
    assert b'dockerflow_heartbeats_total{probe="readiness",status="passed"}' in metrics.body
    assert metrics.headers["Content-Type"].startswith("text/plain")
    accepted = {"Accept-Encoding": "gzip"}
    compressed = http.request(address, "GET", "/__metrics__", headers=accepted)
    assert compressed.headers["Content-Encoding"] == "gzip"
    assert b"dockerflow_heartbeats_total" in gzip.decompress(compressed.body)
    assert http.request(address, "GET", "/__version__").status == 404


def test_token(start: Start, address: Address, settings: Any) -> None:
    """Whoever sends the token sees details, and nobody else does."""
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = "never"
    settings.DOCKERFLOW_HEARTBEAT_TOKEN = "s3cr3t"
    start(liveness=lambda: [checks.Warning("Slow.", id="x")])
    wait_until(lambda: all_pass(address))
    path = "/__heartbeat__/liveness"
    for token, seen in (("s3cr3t", True), ("other", False)):
        headers = {"Authorization": f"Bearer {token}"}
        body = http.request(address, "GET", path, headers=headers).body
        assert (b"Slow." in body) is seen


def test_file(start: Start, path: Path) -> None:
    """The file says what holds, is whole whenever it is read, and is gone when the worker is."""
    probes = start()
    wait_until(lambda: set(outcomes(path).values()) == {"passed"})
    assert json.loads(path.read_text())["pid"] == os.getpid()
    wait_until(lambda: [found.name for found in path.parent.iterdir()] == [path.name])
    probes.stop()
    assert not path.exists()


def test_file_is_always_whole(path: Path) -> None:
    """A reader finds a whole file while it is written over and over."""
    file, done = ProbeFile(str(path)), threading.Event()
    file.write({"liveness": "passed"})

    def write() -> None:
        while not done.is_set():
            file.write({"liveness": "passed"})

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for _ in range(500):
            assert outcomes(path) == {"liveness": "passed"}
    finally:
        done.set()
        writer.join()


def test_starting_ends_when_it_was_ready_once(start: Start, address: Address) -> None:
    """Until readiness has passed once the worker is starting: alive, not ready, not started."""
    found = [checks.Info("Starting.", id=health.INFO_STARTING)]
    probes = start(readiness=lambda: found)
    assert [status(address, probe) for probe in probe_file.PROBES] == [200, 503, 503]
    found.clear()
    probes.refresh()
    wait_until(lambda: all_pass(address))
    found.append(checks.Error("The broker is gone."))
    probes.refresh()
    wait_until(lambda: status(address, "readiness") == 503)
    assert [status(address, probe) for probe in ("liveness", "startup")] == [200, 200]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (checks.Warning("Slow."), 200),
        (checks.Error("Stuck."), 503),
        (checks.Info("Stopping.", id=health.INFO_DRAINING), 503),
    ],
    ids=["warning", "error", "expected"],
)
def test_level(start: Start, address: Address, message: CheckMessage, expected: int) -> None:
    """A probe fails from an error on, and if the worker says that it starts or stops."""
    start(liveness=lambda: [message])
    wait_until(lambda: status(address, "liveness") == expected)


def test_what_raises_fails(start: Start, address: Address, settings: Any) -> None:
    """A callable that raises fails its probe, and its text is not shown."""
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = "always"

    def stuck() -> list[CheckMessage]:
        raise RuntimeError("s3cret")

    start(liveness=stuck)
    wait_until(lambda: status(address, "liveness") == 503)
    body = http.request(address, "GET", "/__heartbeat__/liveness").body
    assert b"The check raised RuntimeError." in body
    assert b"s3cret" not in body


def test_checks_belong_to_readiness(start: Start, address: Address, settings: Any) -> None:
    """A check is run within the deadline of the checks, and a hung one holds nothing up."""
    settings.DOCKERFLOW_HEARTBEAT_DETAILS = "always"
    settings.DOCKERFLOW_CHECK_TIMEOUT = 0.1
    hung = threading.Event()

    def check_stock(app_configs: object, **kwargs: object) -> list[CheckMessage]:
        hung.wait(10)
        return []

    start(checks=[Check(check_stock, {})])
    try:
        wait_until(lambda: status(address, "readiness") == 503)
        wait_until(
            lambda: b"check_stock" in http.request(address, "GET", "/__heartbeat__/readiness").body
        )
        assert status(address, "liveness") == 200
    finally:
        hung.set()
    wait_until(lambda: status(address, "readiness") == 200)


def test_draining_is_answered_at_once(start: Start, address: Address) -> None:
    """From the moment that draining begins readiness fails, and liveness does not."""
    start()
    wait_until(lambda: all_pass(address))
    process.drain()
    assert [status(address, probe) for probe in ("liveness", "readiness")] == [200, 503]


def test_drain_marker_is_obeyed(start: Start, path: Path, settings: Any, tmp_path: Path) -> None:
    """The marker that ``drain`` leaves makes the worker not ready."""
    settings.DOCKERFLOW_DRAIN_PATH = str(tmp_path / "draining")
    start()
    wait_until(lambda: outcomes(path)["readiness"] == "passed")
    drain_marker.create(str(tmp_path / "draining"))
    wait_until(lambda: outcomes(path)["readiness"] == "failed")
    assert outcomes(path)["liveness"] == "passed"


def test_a_standstill_of_the_thread_fails_everything(
    start: Start, address: Address, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found long ago is no answer: a callable that hangs fails the probes."""
    monkeypatch.setattr("dockerflow_django.tasks.probes.VALID_SECONDS", 0.3)
    done = threading.Event()

    def hang() -> list[CheckMessage]:
        done.wait(10)
        return []

    start(liveness=hang)
    try:
        wait_until(lambda: status(address, "liveness") == 503)
    finally:
        done.set()


def test_webhooks(start: Start, path: Path, settings: Any) -> None:
    """The startup and every change are posted once; starting is no outcome."""
    found: list[CheckMessage] = []
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        probes = start(liveness=lambda: list(found))
        wait_until(lambda: receiver.news() == [("startup", "succeeded")])
        found.append(checks.Error("Stuck.", id="x"))
        probes.refresh()
        wait_until(lambda: ("liveness", "failed") in receiver.news())
        assert receiver.posts[1].json()["traceback"] == "worker: x: Stuck."
        found.clear()
        probes.refresh()
        wait_until(lambda: ("liveness", "succeeded") in receiver.news())
        process.drain()
        probes.refresh()
        wait_until(lambda: ("readiness", "warning") in receiver.news())
        assert len(receiver.posts) == 4


def test_a_port_that_is_taken(start: Start, address: Address, path: Path) -> None:
    """A second one on one port does not start, says why, and leaves the first one's file alone."""
    start()
    with pytest.raises(ProbesError, match=f"the probe port {address[0]}:{address[1]}: "):
        WorkerProbes("other", liveness=list, readiness=list).start()
    assert path.exists()


def test_a_path_that_is_taken(start: Start, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A path belongs to one process: a second one does not start as long as the first runs."""
    other = ProbeFile(str(path))
    other._life = {**other._life, **_parent()}
    other.write({"liveness": "passed"})
    with pytest.raises(ProbesError, match=f"process {os.getppid()} writes there; every process"):
        start()


def test_a_path_that_cannot_be_had(address: Address, tmp_path: Path, settings: Any) -> None:
    """Without its file a worker does not start, and its port is free again."""
    settings.DOCKERFLOW_PROBE_FILE = str(tmp_path / "missing" / "probes")
    with pytest.raises(ProbesError, match="No such file or directory"):
        WorkerProbes("worker", liveness=list, readiness=list).start()
    socket.create_server(address).close()


def test_a_file_that_another_took_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that stops leaves the file to another one that writes there meanwhile."""
    path = tmp_path / "probes"
    own = ProbeFile(str(path))
    own.write({"liveness": "passed"})
    with monkeypatch.context() as as_another:
        as_another.setattr(os, "getpid", os.getppid)
        ProbeFile(str(path)).write({"liveness": "passed"})
    assert own.owner() == os.getppid()
    own.remove()
    assert path.exists()


def test_a_folder_that_is_not_there(start: Start, settings: Any) -> None:
    """A path that cannot be written keeps the worker from starting, and says why."""
    settings.DOCKERFLOW_PROBE_FILE = "/nowhere/probes"
    with pytest.raises(ProbesError, match="/nowhere/probes: No such file or directory"):
        start()


def test_a_file_that_can_no_longer_be_written(
    start: Start, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A disk that is full is told once, not every second, and the worker goes on."""
    probes = start()
    wait_until(lambda: outcomes(path)["readiness"] == "passed")
    assert probes._file is not None
    probes._file._draft = path.parent / "gone" / "probes"
    for _ in range(3):
        before = probes._evaluated_at
        probes.refresh()
        wait_until(lambda before=before: probes._evaluated_at > before)
    assert caplog.text.count("DOCKERFLOW_PROBE_FILE cannot be written: No such file") == 1


def test_fork(start: Start, address: Address, path: Path) -> None:
    """A forked child holds no socket, leaves the file alone, and may use what the threads use."""
    probes = start()
    wait_until(lambda: all_pass(address))
    with warnings.catch_warnings():
        # From Python 3.12 on: the threads are what this is about.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        probes.close_in_child()
        probes.stop()
        os._exit(0 if probes.port is None else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert path.exists()
    assert all_pass(address)


def _parent() -> dict[str, object]:
    from dockerflow_django.client.life import started_at

    return {"pid": os.getppid(), "started": started_at(os.getppid()), "time": time.monotonic()}


def test_an_error_of_our_own_is_logged(
    start: Start, address: Address, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """If the evaluation itself fails, it is logged and tried again."""
    calls = iter([RuntimeError("no thread")])

    def announce_once(report: object) -> None:
        for error in calls:
            raise error

    monkeypatch.setattr("dockerflow_django.tasks.probes.announcer.announce", announce_once)
    probes = start()
    wait_until(lambda: "could not be evaluated" in caplog.text)
    probes.refresh()
    wait_until(lambda: all_pass(address))


def test_metrics_that_cannot_be_had(
    start: Start, address: Address, monkeypatch: pytest.MonkeyPatch, caplog: Any
) -> None:
    """A folder of metrics that is not there is logged; the probes are answered."""

    def start_feed() -> None:
        raise FileNotFoundError("no folder")

    monkeypatch.setattr("dockerflow_django.metrics.feed.start", start_feed)
    start()
    wait_until(lambda: all_pass(address))
    assert "There are no metrics of this process" in caplog.text
