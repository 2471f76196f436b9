"""Where a process is in its life, as its probes tell."""

import asyncio
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.test import override_settings

from dockerflow_django import health, lifecycle
from dockerflow_django.client import drain_marker
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.lifecycle import request_ended, request_started, set_ready, watch_loop


@pytest.fixture(autouse=True)
def _new_life() -> Iterator[None]:
    lifecycle.reset()
    lifecycle.process.has_started = True
    yield
    lifecycle.reset()


def ids(probe: str) -> list[str | None]:
    """Return the ids of what the probe would be told."""
    return [notice.id for notice in lifecycle.process.notices(probe)]


def sentence(probe: str) -> str:
    """Return the only sentence that the probe would be told."""
    (notice,) = lifecycle.process.notices(probe)
    return str(notice.msg)


def test_new_life() -> None:
    """A new life, as of a forked child, is starting, serves itself, and is not taken out."""
    lifecycle.process.has_supervisor = True
    lifecycle.process.drain()
    set_ready(False)
    lifecycle.reset()
    assert ids("readiness") == [health.INFO_STARTING]
    assert not lifecycle.process.has_supervisor


def test_starting() -> None:
    """While starting, readiness and startup fail and liveness does not."""
    lifecycle.process.has_started = False
    assert ids("readiness") == ids("startup") == [health.INFO_STARTING]
    assert sentence("startup").startswith("Starting: ")
    assert ids("liveness") == []


def test_starting_comes_first() -> None:
    """Of several reasons the first is that the process is starting."""
    lifecycle.process.has_started = False
    lifecycle.process.drain()
    assert ids("readiness") == [health.INFO_STARTING, health.INFO_DRAINING]


def test_set_ready() -> None:
    """A process taken out says why, in readiness alone, and comes back."""
    set_ready(False, "maintenance")
    (notice,) = lifecycle.process.notices("readiness")
    assert (notice.id, "maintenance" in notice.msg) == (health.INFO_NOT_READY, True)
    assert ids("liveness") == ids("startup") == []
    set_ready(True)
    assert ids("readiness") == []


def test_drain() -> None:
    """Draining fails readiness alone, and the first who began it counts."""
    lifecycle.process.drain()
    since = lifecycle.process.draining_since
    lifecycle.process.drain()
    assert lifecycle.process.draining_since == since
    assert ids("readiness") == [health.INFO_DRAINING]
    assert sentence("readiness").startswith("Draining: ")
    assert ids("liveness") == ids("startup") == []


def test_marker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The marker of a client is obeyed, looked at no more than five times a second."""
    path = tmp_path / "draining"
    looks: list[str] = []
    obeyed = drain_marker.exists
    monkeypatch.setattr(drain_marker, "exists", lambda p: looks.append(p) or obeyed(p))
    assert lifecycle.MARKER_SECONDS == 0.2
    monkeypatch.setattr(lifecycle, "MARKER_SECONDS", 60)
    with override_settings(DOCKERFLOW_DRAIN_PATH=str(path)):
        lifecycle.process.has_started = True
        for _ in range(50):
            assert ids("readiness") == []
        assert len(looks) == 1
        drain_marker.create(str(path))
        assert ids("readiness") == []
        monkeypatch.setattr(lifecycle, "MARKER_SECONDS", 0)
        assert ids("readiness") == [health.INFO_DRAINING]


def test_planted_link(tmp_path: Path) -> None:
    """A link at the marker's path is neither obeyed nor followed nor removed."""
    real, link = tmp_path / "real", tmp_path / "link"
    drain_marker.create(str(real))
    link.symlink_to(real)
    with override_settings(DOCKERFLOW_DRAIN_PATH=str(link)):
        lifecycle.process.has_started = True
        assert ids("readiness") == []
    assert link.is_symlink()


def test_requests_in_progress() -> None:
    """Requests count from their beginning to their end, and ending one twice is no harm."""
    began = time.monotonic()
    first = request_started()
    time.sleep(0.02)
    second = request_started()
    assert lifecycle.process.requests_in_progress == 2
    oldest = lifecycle.process.oldest_request_seconds
    assert 0.02 <= oldest <= time.monotonic() - began
    request_ended(first)
    request_ended(first)
    assert lifecycle.process.requests_in_progress == 1
    request_ended(second)
    assert lifecycle.process.oldest_request_seconds == 0


def test_too_many_requests() -> None:
    """Above its limit readiness fails with an error; at it, and without one, it does not."""
    tokens = [request_started() for _ in range(3)]
    assert ids("readiness") == []
    for limit, expected in ((2, [health.ERROR_TOO_MANY_REQUESTS_IN_PROGRESS]), (3, [])):
        with override_settings(DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS=limit):
            lifecycle.process.has_started = True
            for token in tokens:
                lifecycle.process._requests[token] = time.monotonic()
            assert ids("readiness") == expected
            assert ids("liveness") == []


def test_too_many_requests_are_counted() -> None:
    """The error says how many there are, the limit, and the age of the oldest."""
    with override_settings(DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS=1):
        lifecycle.process.has_started = True
        began = time.monotonic() - 90
        request_started()
        request_started(lambda: began)
        said = r"2 requests are in progress, more than 1, the oldest for 9\d\.\d s\."
        assert re.fullmatch(said, sentence("readiness"))


def test_stalled_threads() -> None:
    """Liveness fails once every worker thread is on a request that began too long ago."""
    with override_settings(DOCKERFLOW_LIVENESS_STALL_SECONDS=0.05):
        tokens = [request_started(), request_started()]
        time.sleep(0.06)
        assert ids("liveness") == []  # nobody has told how many threads there are
        lifecycle.process.worker_threads = 3
        assert ids("liveness") == []
        lifecycle.process.worker_threads = 2
        assert ids("liveness") == [health.ERROR_STALLED]
        said = "All 2 worker threads are on requests that began more than 0.05 s ago."
        assert sentence("liveness") == said
        request_ended(tokens[0])
        assert ids("liveness") == []


async def test_stalled_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    """Liveness fails while the event loop does not turn, and is well once it does."""
    monkeypatch.setattr(lifecycle, "TURN_SECONDS", 0.01)
    with override_settings(DOCKERFLOW_LIVENESS_STALL_SECONDS=30):
        watch_loop()
        watch_loop()
        await asyncio.sleep(0.01)
        assert ids("liveness") == []
        for _ in range(3):
            lifecycle.process._turned_at -= 31
            assert ids("liveness") == [health.ERROR_STALLED]
            said = r"The event loop has not turned for \d+\.\d s\."
            assert re.fullmatch(said, sentence("liveness"))
            await asyncio.sleep(0.05)
            assert ids("liveness") == []


async def test_loop_of_an_earlier_life(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loop that a life before this one watched, in a parent say, is watched no longer."""
    monkeypatch.setattr(lifecycle, "TURN_SECONDS", 0.01)
    watch_loop()
    lifecycle.reset()
    await asyncio.sleep(0.03)
    turned_at = lifecycle.process._turned_at
    await asyncio.sleep(0.05)
    assert lifecycle.process._turned_at == turned_at


def test_closed_loop_is_no_stall() -> None:
    """A loop that was closed is nobody's to wait for."""

    async def watch() -> None:
        watch_loop()

    with override_settings(DOCKERFLOW_LIVENESS_STALL_SECONDS=0.01):
        asyncio.run(watch())
        time.sleep(0.02)
        assert ids("liveness") == []


@pytest.mark.django_db
def test_notice_fails_the_probe() -> None:
    """Each notice fails its probe, whatever the checks say."""
    assert evaluate("liveness").passed
    set_ready(False)
    report = evaluate("readiness")
    assert not report.passed
    assert report.results["lifecycle"].messages[-1].msg == "Set not ready: no reason given."
