"""Two containers asked by turns: what the machine holds up, it holds up for both."""

import sys
from collections.abc import Callable, Iterable
from statistics import median

from tests.harness import http
from tests.harness.served import Served
from tests.torture.lateness import Lateness

# What the slowest answer of a loaded container may take beyond an idle one's.
MORE_SECONDS = 0.05
PROBES = ("liveness", "readiness")
# What an idle container's command line begins with: a stranger, as busy as the loaded worker, in
# the same session. The kernel shares the processors' time among sessions, as among containers, and
# what answers the probes has a part of that share.
BUSY_STRANGER = (
    sys.executable,
    "-c",
    """
import os, sys, time
if not os.fork():
    if not os.fork():
        end = time.monotonic() + 300
        while time.monotonic() < end:
            sum(range(1000))
    os._exit(0)
os.wait()
os.execv(sys.argv[1], sys.argv[1:])
""",
)


class Turns:
    """The answers of a loaded container, and of an idle one meanwhile."""

    def __init__(self, loaded: Served, idle: Served) -> None:
        self._containers = (loaded, idle)
        self.answers: tuple[list[http.Answer], list[http.Answer]] = ([], [])
        self._late_seconds = 0.0

    def ask(self, times: int, *, goes_on: Callable[[], bool] = lambda: False) -> None:
        """Ask each container for each probe so many times, and for as long as it goes on."""
        done = 0
        with Lateness() as lateness:
            while done < times or goes_on():
                done += 1
                for probe in PROBES:
                    for container, answers in zip(self._containers, self.answers, strict=True):
                        answers.append(container.probe(probe))
        self._late_seconds = lateness.seconds

    def assert_as_fast(self, share: float) -> None:
        """Assert that all answers are 200, and this share hardly slower than an idle one's.

        Or than the machine, which wakes a program that sleeps no earlier. A share below one leaves
        out the slowest, on a machine that others use.
        """
        assert {answer.status for answer in self.answers[0]} == {200}
        loaded, idle = (sorted(_seconds(answers)) for answers in self.answers)
        last = int(share * (len(idle) - 1))
        assert loaded[last] < max(idle[last], self._late_seconds) + MORE_SECONDS

    def figures(self) -> dict[str, str]:
        """Return what to note."""
        loaded, idle = (list(_seconds(answers)) for answers in self.answers)
        return {
            "questions": str(len(loaded)),
            "slowest": _beside(max(loaded), max(idle)),
            "latest wake of the machine": f"{self._late_seconds * 1000:.1f} ms",
            "median": _beside(median(loaded), median(idle)),
        }


def _seconds(answers: Iterable[http.Answer]) -> Iterable[float]:
    return (answer.seconds for answer in answers)


def _beside(loaded: float, idle: float) -> str:
    return f"{loaded * 1000:.1f} ms; of an idle container {idle * 1000:.1f} ms"
