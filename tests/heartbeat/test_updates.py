"""What a report adds to what is known."""

import os

import pytest
from django.test import override_settings

from dockerflow_django.heartbeat import log
from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.heartbeat.updates import UpdateTracker, names_of

CHECK = "dockerflow_django.checks.check_database_connected"


def found(run: int, probe: str = "heartbeat", name: str = "check_stock") -> Report:
    return Report(probe, {name: Result((), 0.1, run)}, passed=True)


def entered(tracker: UpdateTracker, *runs: int) -> list[tuple[int, int]]:
    """Enter reports of these runs; return each that was update with the run known before."""
    return [(n.result.run, n.run_before) for run in runs for n in tracker.updates(found(run))]


def test_older_runs_are_no_news():
    """A probe that goes on with what it found once does not undo what was found since."""
    assert entered(UpdateTracker(), 1, 3, 2, 3, 4) == [(1, 0), (3, 1), (3, 3), (4, 3)]


def test_a_run_that_ends_late_is_update():
    """While it has not ended its number is negative."""
    assert entered(UpdateTracker(), -5, 5, 4) == [(-5, 0), (5, -5)]


def test_life_of_the_process_is_always_news():
    """Starting and draining have no run."""
    assert entered(UpdateTracker(), 0, 0) == [(0, 0), (0, 0)]


def test_probes_may_have_checks_of_their_own():
    """One check has one name in all probes, however often it is asked; another has the probe's."""
    probes = {
        "liveness": [(CHECK, {"aliases": ["default"]})],
        "readiness": [(CHECK, {"timeout": 5})],
        "startup": ["dockerflow_django.checks.check_caches"],
    }
    with override_settings(DOCKERFLOW_CHECKS=[CHECK], DOCKERFLOW_PROBES=probes):
        name = "check_database_connected"
        assert names_of("heartbeat") == {name: name}
        assert names_of("liveness") == {name: f"{name} (liveness)"}
        assert names_of("readiness") == {name: name}
        assert names_of("startup") == {"check_caches": "check_caches"}


# Other tests may have left a thread that waits for nothing.
@pytest.mark.filterwarnings("ignore:This process.*fork:DeprecationWarning")
def test_a_forked_child_knows_nothing():
    """What the parent has seen is the parent's, and a lock it held is not waited for."""
    tracker = log._tracker
    tracker.reset()
    tracker.updates(found(3))
    with tracker._lock:
        pid = os.fork()
        if not pid:  # pragma: no cover - the child has no coverage
            os._exit(len(tracker.updates(found(1))))
        _, status = os.waitpid(pid, 0)
    tracker.reset()
    assert os.waitstatus_to_exitcode(status) == 1
