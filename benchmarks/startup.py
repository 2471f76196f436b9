"""The time from an empty process to its first answer, with the app and without."""

import os
import subprocess
import sys
from collections.abc import Iterator

from benchmarks.measure import ratio, serve, take_turns
from benchmarks.projects import BARE, DOCKERFLOW, GUID, OURS, STRUCTLOG
from benchmarks.rows import Row

PEERS = (DOCKERFLOW, STRUCTLOG, GUID)
ROUNDS = 11


def rows() -> list[Row]:
    """Measure the processor time of whole processes: nothing of it waits."""
    names = (BARE, OURS, *PEERS)
    turns = take_turns({name: ("benchmarks.startup", name) for name in names}, ROUNDS)
    taken = turns.medians
    peers = ", ".join(f"{name} {taken[name] / taken[BARE]:.2f}" for name in PEERS)
    return [
        Row(
            "startup",
            "time from an empty process to the first answer, against the same project without "
            "the app",
            turns.middle(ratio(OURS, BARE)),
            1.15,
            f"{taken[OURS] * 1e3:.0f} ms; without {taken[BARE] * 1e3:.0f} ms; with {peers}",
            turns.spread(ratio(OURS, BARE)),
        )
    ]


def main(name: str) -> Iterator[float]:
    """Start the process over and over; yield the seconds of processor time."""
    while True:
        process = subprocess.Popen([sys.executable, "-m", "benchmarks.startproject", name])
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0
        yield usage.ru_utime + usage.ru_stime


if __name__ == "__main__":
    serve(main(*sys.argv[1:]))
