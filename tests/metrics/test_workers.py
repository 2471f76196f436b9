"""The folder in which many processes keep their values."""

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import REGISTRY, CollectorRegistry
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

from dockerflow_django import lifecycle
from dockerflow_django.metrics import definitions, feed, process, workers
from dockerflow_django.metrics.exposition import expose

MODES = ("livemostrecent", "livemin", "livesum")


@pytest.fixture
def values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder of values, and name it in the environment."""
    monkeypatch.setenv(workers.VARIABLE, str(tmp_path / "values"))
    monkeypatch.setattr(feed, "_has_started", True)  # else a scrape starts a thread for good
    workers.join()
    return tmp_path / "values"


def leave(pid: int) -> None:
    """Leave the values that a process of that number would."""
    value = MultiProcessValue(lambda: pid)
    for mode in MODES:
        value("gauge", mode, mode, (), (), "", multiprocess_mode=mode).set(1, timestamp=1.0)
    value("counter", "seen", "seen_total", (), (), "").inc(5)


def shown(values: Path) -> dict[str, float]:
    registry = CollectorRegistry()
    MultiProcessCollector(registry, str(values))
    return {sample.name: sample.value for metric in registry.collect() for sample in metric.samples}


@pytest.fixture
def dead() -> int:
    """Give the number of a process that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    return ended.pid


def test_one_process_has_no_folder(monkeypatch: pytest.MonkeyPatch):
    """Without the variable everything here does nothing."""
    monkeypatch.delenv(workers.VARIABLE, raising=False)
    assert workers.folder() is None
    workers.prepare_folder()
    workers.join()
    workers.sweep()
    workers.mark_dead(1)


def test_the_dead_lose_their_gauges_and_keep_their_counts(values: Path, dead: int):
    """A parent that reaps a worker says so, and may say so twice."""
    leave(dead)
    leave(os.getpid())
    assert shown(values) == {"livemostrecent": 1, "livemin": 1, "livesum": 2, "seen_total": 10}
    workers.mark_dead(dead)
    workers.mark_dead(dead)
    assert shown(values) == {"livemostrecent": 1, "livemin": 1, "livesum": 1, "seen_total": 10}


def test_sweep_finds_the_dead(values: Path, dead: int):
    """Nobody has to tell of a worker that was killed; what is no file of a process stays."""
    for pid in (dead, os.getpid(), 1):
        leave(pid)
    (values / "gauge_livesum_mine.db.txt").touch()
    workers.sweep()
    assert shown(values)["livesum"] == 2
    assert (values / "gauge_livesum_mine.db.txt").exists()


def test_another_users_process_is_alive(values: Path, monkeypatch: pytest.MonkeyPatch):
    """A process that this one may not signal is there all the same."""

    def refuse(pid: int, number: int) -> None:
        raise PermissionError

    leave(4_000_000)
    monkeypatch.setattr(os, "kill", refuse)
    workers.sweep()
    assert shown(values)["livesum"] == 1


def test_two_may_sweep_at_once(values: Path, dead: int, monkeypatch: pytest.MonkeyPatch):
    """A file that is gone when its turn comes is no error."""
    leave(dead)
    unlink = Path.unlink

    def somebody_else_first(path: Path, missing_ok: bool = False) -> None:
        unlink(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", somebody_else_first)
    workers.sweep()
    assert not list(values.glob("gauge_live*"))


def test_a_new_life_begins_with_nothing(values: Path, dead: int):
    """The parent empties the folder before the first worker, or makes it."""
    leave(dead)
    (values / "notes.txt").touch()
    workers.prepare_folder()
    assert [path.name for path in values.iterdir()] == ["notes.txt"]
    (values / "notes.txt").unlink()
    values.rmdir()
    workers.prepare_folder()
    assert values.is_dir()


def test_a_process_leaves_when_it_ends(values: Path):
    """What `join` promises holds for this process's number at the end."""
    leave(os.getpid())
    workers._mark_own_dead()
    assert shown(values) == {"seen_total": 5}


@pytest.mark.usefixtures("values")
def test_each_process_writes_what_it_does(monkeypatch: pytest.MonkeyPatch):
    """Where another process may be asked, the requests in progress are written once a second."""
    started, seen = [], []
    gauge = definitions.requests_in_progress()

    def sleep(seconds: float) -> None:
        seen.append((seconds, gauge._value.get()))
        lifecycle.request_ended(token)
        if len(seen) == 2:
            raise TimeoutError

    monkeypatch.setattr(process.threads, "start", lambda work, name: started.append(work))
    monkeypatch.setattr(process, "time", SimpleNamespace(sleep=sleep))
    token = lifecycle.request_started()
    process.start()
    (look_on,) = started
    with pytest.raises(TimeoutError):
        look_on()
    assert seen == [(1.0, 1), (1.0, 0)]


def test_one_process_is_looked_at_when_it_is_scraped(monkeypatch: pytest.MonkeyPatch):
    """Nothing is written then, however many requests begin."""
    monkeypatch.delenv(workers.VARIABLE, raising=False)
    process.start()
    token = lifecycle.request_started()
    try:
        assert REGISTRY.get_sample_value("dockerflow_requests_in_progress") == 1
    finally:
        lifecycle.request_ended(token)


def test_exposition_is_of_all_processes(values: Path, dead: int):
    """Whoever is asked tells what the others have written, but for the gauges of the dead."""
    for pid in (dead, os.getpid()):
        leave(pid)
    lines = expose().body.decode().splitlines()
    assert "livesum 1.0" in lines
    assert "seen_total 10.0" in lines


@pytest.mark.parametrize("content", [b"", b"\0" * 8, b"\xff" * 5000, b"nonsense"])
def test_broken_file_costs_its_values_alone(values: Path, content: bytes, caplog):
    """A file of values that is empty or broken is left out of a scrape, and told of once."""
    leave(os.getpid())
    whole = expose().body
    (values / "counter_4711.db").write_bytes(content)
    assert b"seen_total 5.0" in whole
    for _ in range(2):
        assert b"seen_total 5.0" in expose().body
    assert caplog.text.count("counter_4711.db are left out") <= 1


def test_full_folder_is_told_of(values: Path, monkeypatch: pytest.MonkeyPatch, caplog):
    """Before the folder is full it is said, once."""
    monkeypatch.setattr(workers, "LEAST_FREE_BYTES", 2**70)
    workers.warn_if_full()
    workers.warn_if_full()
    assert caplog.text.count("MiB left") == 1
    workers._forget()
    monkeypatch.setattr(workers, "LEAST_FREE_BYTES", 0)
    workers.warn_if_full()
    assert caplog.text.count("MiB left") == 1
    workers._forget()


def test_without_a_folder_nothing_is_told(monkeypatch: pytest.MonkeyPatch, caplog):
    """A single process has no folder that could be full."""
    monkeypatch.delenv(workers.VARIABLE, raising=False)
    monkeypatch.setattr(workers, "LEAST_FREE_BYTES", 2**70)
    workers.warn_if_full()
    assert caplog.text == ""
