"""The time in which this process ran."""

from dockerflow_django.supervisor.clock import LONGEST_STEP_SECONDS, RunningClock


def test_time_in_which_it_did_not_run_is_not_counted() -> None:
    """Of a long gap between two ticks only a step counts: nobody could have been heard."""
    times = iter([100.0, 100.25, 100.5, 4000.5, 4000.75])
    clock = RunningClock(lambda: next(times))
    for _ in range(4):
        clock.tick()
    assert clock.seconds == 0.25 + 0.25 + LONGEST_STEP_SECONDS + 0.25
