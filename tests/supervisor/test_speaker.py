"""Log lines from a thread of their own: in order, and bounded."""

from dockerflow_django.supervisor.speaker import MOST_WAITING, Speaker
from tests.harness.waiting import wait_until
from tests.supervisor.conftest import started


def test_log_that_is_full() -> None:
    """Lines that nobody takes wait up to a bound; whoever says more goes on at once."""
    speaker = Speaker()
    written: list[object] = []
    for number in range(MOST_WAITING + 10):
        speaker.say(written.append, number)
    assert written == []
    assert started(speaker.start) == [("dockerflow-log", True)]
    wait_until(lambda: len(written) == MOST_WAITING, timeout=5)
    speaker.say(written.append, "next")
    wait_until(lambda: written[-1] == "next", timeout=5)
    assert written[:-1] == list(range(MOST_WAITING))
