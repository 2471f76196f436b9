"""A late answer is a failure, and a check that asks for more time runs in the background."""

import asyncio
import re
import subprocess
import sys
import threading
import time
from typing import Any

import pytest
from django.core import checks

from dockerflow_django import health
from dockerflow_django.heartbeat import evaluation, slots
from dockerflow_django.heartbeat.evaluation import aevaluate, evaluate
from tests.harness.waiting import wait_until

ERROR = checks.Error("broken", id="shop.E001")


@pytest.fixture(params=["sync", "async"], autouse=True)
def evaluated(request, monkeypatch):
    """Evaluate in both worlds, as in production."""
    monkeypatch.setattr(evaluation, "is_testing", lambda: False)
    if request.param == "sync":
        return evaluate
    return lambda probe="heartbeat": asyncio.run(aevaluate(probe))


class Slow:
    """A check that takes a while, each time, and as long as its gate is shut."""

    __name__ = "slow"

    def __init__(self, seconds: float, *messages: checks.CheckMessage) -> None:
        self.seconds = seconds
        self.messages = list(messages)
        self.started: list[float] = []
        self.running = 0
        self.at_once = 0
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self, app_configs: object, **kwargs: Any) -> list[checks.CheckMessage]:
        self.started.append(time.monotonic())
        self.running += 1
        self.at_once = max(self.at_once, self.running)
        time.sleep(self.seconds)
        assert self.gate.wait(30)
        self.running -= 1
        return self.messages


def idle(check: Slow) -> bool:
    """Tell whether no run is in flight."""
    return not check.running and not any(
        thread.name == "dockerflow-slow" for thread in threading.enumerate()
    )


@pytest.mark.parametrize("max_age", [0, 60])
def test_a_check_that_is_always_late_always_fails(evaluated, configure, received, caplog, max_age):
    """Once in the log and one change of outcome, whether its last result is reused or not."""
    slow = Slow(0.3)
    configure(
        DOCKERFLOW_CHECKS=[slow],
        DOCKERFLOW_CHECK_TIMEOUT=0.1,
        DOCKERFLOW_HEARTBEAT_MAX_AGE=max_age,
    )
    for _ in range(3):
        slow.gate.clear()
        assert not evaluated().passed  # overdue, or answered too late
        assert "still running" in evaluated().results["slow"].messages[0].msg or max_age
        slow.gate.set()
        wait_until(lambda: idle(slow))
        late = evaluated()
        assert not late.passed
        wait_until(lambda: idle(slow))
    ids = {message.id for message in late.results["slow"].messages}
    assert ids == {health.ERROR_CHECK_TIMED_OUT}
    assert [each["new"] for each in received.changed] == ["failed"]
    assert len([r for r in caplog.records if r.name == "dockerflow_django.checks"]) == 1
    assert slow.at_once == 1


def lateness(text: str, allowed: str) -> float:
    """Return how many seconds it took: more than it waits, on a machine that is busy."""
    told = re.fullmatch(rf"The check answered after (\S+) s, allowed are {allowed} s\.", text)
    assert told
    return float(told[1])


def test_a_late_answer_says_how_late(evaluated, configure):
    """What it found is shown beside, and costs no second change."""
    slow = Slow(0.3, ERROR)
    configure(
        DOCKERFLOW_CHECKS=[slow], DOCKERFLOW_CHECK_TIMEOUT=0.1, DOCKERFLOW_HEARTBEAT_MAX_AGE=60
    )
    evaluated()
    wait_until(lambda: idle(slow))
    late, found = evaluated().results["slow"].messages
    assert lateness(late.msg, "0.1") >= 0.3
    assert (late.level, found) == (checks.ERROR, ERROR)


def test_what_a_late_check_found_is_logged_once(evaluated, configure, caplog):
    """Overdue, late with an error, overdue again: two lines, however long it goes on."""
    slow = Slow(0.3, ERROR)
    configure(
        DOCKERFLOW_CHECKS=[slow], DOCKERFLOW_CHECK_TIMEOUT=0.1, DOCKERFLOW_HEARTBEAT_MAX_AGE=60
    )
    for _ in range(3):
        slow.gate.clear()
        evaluated()
        slow.gate.set()
        wait_until(lambda: idle(slow))
        evaluated()
        (slot,) = slots._slots.values()
        slot.last = None  # as if it were too old
    assert len(slow.started) == 3
    assert len([r for r in caplog.records if r.name == "dockerflow_django.checks"]) == 2


def test_each_listing_is_judged_by_its_own_timeout(evaluated, configure):
    """One run, late for one probe and in time for another."""
    slow = Slow(0.3)
    configure(
        DOCKERFLOW_CHECKS=[(slow, {"timeout": 0.1})],
        DOCKERFLOW_PROBES={"readiness": [slow]},
        DOCKERFLOW_CHECK_TIMEOUT=10,
        DOCKERFLOW_HEARTBEAT_MAX_AGE=60,
    )
    assert evaluated("readiness").passed
    assert not evaluated().passed
    assert len(slow.started) == 1


def test_a_check_that_asks_for_more_time_is_pending_at_first(evaluated, configure, hung, caplog):
    """The heartbeat answers at once and passes; readiness and startup wait for the answer."""
    listed = [(hung, {"timeout": 60})]
    configure(
        DOCKERFLOW_CHECKS=listed,
        DOCKERFLOW_PROBES={"readiness": listed, "startup": listed, "liveness": listed},
        DOCKERFLOW_CHECK_TIMEOUT=20,
        DOCKERFLOW_HEARTBEAT_FAIL_LEVEL="INFO",
    )
    began = time.monotonic()
    outcomes = {
        probe: evaluated(probe).passed
        for probe in ("heartbeat", "liveness", "readiness", "startup")
    }
    assert time.monotonic() - began < 15  # nobody waits for it
    assert outcomes == {"heartbeat": True, "liveness": True, "readiness": False, "startup": False}
    (message,) = evaluated().results["counted"].messages
    assert (message.id, message.level) == (health.INFO_NO_ANSWER_YET, checks.INFO)
    assert message.msg.startswith("No answer yet, running in the background for ")
    assert hung.runs == 1
    assert not [r for r in caplog.records if getattr(r, "check", "") == "counted"]
    hung.gate.set()
    wait_until(lambda: evaluated("readiness").passed)
    assert evaluated().level == 0


@pytest.mark.parametrize("probe", ["readiness", "startup"])
def test_a_check_of_one_probe_that_is_pending_keeps_a_process_unready(
    evaluated, configure, hung, probe
):
    """Readiness waits for the first answer, though the other probe lists no check."""
    configure(
        DOCKERFLOW_PROBES={"readiness": [], "startup": [], probe: [(hung, {"timeout": 60})]},
        DOCKERFLOW_CHECK_TIMEOUT=20,
    )
    assert not evaluated("readiness").passed
    hung.gate.set()
    wait_until(lambda: evaluated("readiness").passed)


def test_a_check_without_a_first_answer_in_its_time_fails(evaluated, configure, hung, monkeypatch):
    """It is pending no longer than it has asked for."""
    configure(DOCKERFLOW_CHECKS=[(hung, {"timeout": 60})], DOCKERFLOW_CHECK_TIMEOUT=0.1)
    assert evaluated().passed
    assert hung.began.wait(30)
    later = slots.now() + 60
    monkeypatch.setattr(slots, "now", lambda: later)
    assert not evaluated().passed
    (message,) = evaluated().results["counted"].messages
    assert message.id == health.ERROR_CHECK_TIMED_OUT
    assert message.msg.startswith("No answer within 60 s, still running after ")
    assert hung.runs == 1


def test_it_runs_every_so_often_though_nobody_asks(evaluated, configure):
    """Once at a time, from the first asking on."""
    slow = Slow(0.3)
    options = {"timeout": 1, "every": 0.2}  # less than it takes: one run follows the other
    configure(DOCKERFLOW_CHECKS=[(slow, options)], DOCKERFLOW_CHECK_TIMEOUT=0.1)
    assert slow.started == []
    evaluated()
    wait_until(lambda: len(slow.started) >= 3, timeout=20)
    assert slow.at_once == 1
    assert evaluated().level == 0


def test_its_period_is_its_timeout_unless_it_says_otherwise(evaluated, configure):
    """A rare poll finds a result, not a false alarm."""
    slow = Slow(0.0)
    configure(DOCKERFLOW_CHECKS=[(slow, {"timeout": 0.5})], DOCKERFLOW_CHECK_TIMEOUT=0.1)
    evaluated()
    wait_until(lambda: len(slow.started) >= 3, timeout=20)
    gaps = [b - a for a, b in zip(slow.started, slow.started[1:], strict=False)]
    assert min(gaps) > 0.4
    assert evaluated().level == 0


def test_an_old_answer_is_not_shown_for_ever(evaluated, configure, counted, monkeypatch):
    """When a run hangs, the last answer counts no longer than every and timeout and a second."""
    monkeypatch.setattr(slots, "GRACE_SECONDS", 0.1)
    options = {"timeout": 0.4, "every": 0.2}
    configure(DOCKERFLOW_CHECKS=[(counted, options)], DOCKERFLOW_CHECK_TIMEOUT=0.1)
    evaluated()
    wait_until(lambda: evaluated().level == 0)
    counted.gate.clear()
    wait_until(lambda: not evaluated().passed, timeout=20)
    (message,) = evaluated().results["counted"].messages
    assert message.id == health.ERROR_CHECK_TIMED_OUT
    assert message.msg.startswith("The last answer is ")
    assert "still running after " in message.msg
    counted.gate.set()
    wait_until(lambda: evaluated().level == 0, timeout=20)


def test_a_late_answer_in_the_background_is_a_failure(evaluated, configure):
    """It took longer than it has asked for."""
    slow = Slow(0.5)
    configure(
        DOCKERFLOW_CHECKS=[(slow, {"timeout": 0.2, "every": 30})], DOCKERFLOW_CHECK_TIMEOUT=0.1
    )
    evaluated()
    wait_until(lambda: idle(slow) and slow.started)
    (late,) = evaluated().results["slow"].messages
    assert lateness(late.msg, "0.2") >= 0.5


def test_forgetting_ends_the_background(evaluated, configure):
    """After a reset nothing asks any more."""
    slow = Slow(0.0)
    configure(
        DOCKERFLOW_CHECKS=[(slow, {"timeout": 0.3, "every": 0.1})], DOCKERFLOW_CHECK_TIMEOUT=0.1
    )
    evaluated()
    wait_until(lambda: len(slow.started) >= 2)
    slots.reset()
    wait_until(lambda: not any(t.name == "dockerflow-next-slow" for t in threading.enumerate()))
    runs = len(slow.started)
    time.sleep(0.3)
    assert len(slow.started) == runs


EXITING = """
import threading, time
import django
from django.conf import settings
from django.core import checks

began = threading.Event()

def hang(app_configs, **kwargs):
    print("hangs", flush=True)
    began.set()
    time.sleep(600)

def quick(app_configs, **kwargs):
    return []

settings.configure(
    DOCKERFLOW_CHECKS=[(hang, {"timeout": 60}), (quick, {"timeout": 60})],
    INSTALLED_APPS=["dockerflow_django"],
)
django.setup()
from dockerflow_django.heartbeat.evaluation import evaluate
assert evaluate().passed
# One run hangs, and the timer of the other waits for a minute.
assert began.wait(30)
while not any(thread.name == "dockerflow-next-quick" for thread in threading.enumerate()):
    time.sleep(0.01)
"""


def test_the_background_does_not_delay_the_exit(evaluated):
    """Neither a run that hangs nor the timer of the next one keeps the process."""
    ended = subprocess.run(
        [sys.executable, "-c", EXITING], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, "hangs\n"), ended.stderr
