"""What the processes of an instance need, time after time, while a kubelet and a scrape ask."""

import statistics
import time
from collections import defaultdict
from contextlib import suppress
from typing import NamedTuple

import psutil

from tests.harness import http
from tests.harness.closing import Background
from tests.harness.served import Served

# After the load has begun; what is imported and pooled is there by then.
WARM_UP_SHARE = 1 / 4


class Need(NamedTuple):
    """What one process needs: memory that no other process shares (USS), in MiB."""

    memory: float
    threads: float
    descriptors: float


class Samples(Background):
    """Looks so often, until the end of the ``with`` block.

    `needs` has a list of times and needs for each process: ``supervisor``, ``worker 1`` and so on.
    """

    def __init__(self, instance: Served, every_seconds: float) -> None:
        self.instance = instance
        self._every = every_seconds
        super().__init__()
        self.needs: defaultdict[str, list[tuple[float, Need]]] = defaultdict(list)
        self.wrong: list[int] = []

    def rises(self) -> dict[str, Need]:
        """Return by how much each process needs more at the end than after the warm-up."""
        return {name: rise([need for _, need in all_of]) for name, all_of in self.needs.items()}

    def _run(self) -> None:
        names = {self.instance.pid: "supervisor"}
        names |= {pid: f"worker {n}" for n, pid in enumerate(sorted(self.instance.workers()), 1)}
        began = time.monotonic()
        while not self._ended.wait(self._every):
            for pid, name in names.items():
                # One that has died is missed by the test.
                with suppress(psutil.NoSuchProcess):
                    self.needs[name].append((time.monotonic() - began, need_of(pid)))
            self._ask()

    def _ask(self) -> None:
        asked = self.instance.probe_address
        for path in ("/__heartbeat__/readiness", "/__heartbeat__/liveness", "/__metrics__"):
            status = http.request(asked, "GET", path, timeout=20).status
            if status != 200:
                self.wrong.append(status)


def need_of(pid: int) -> Need:
    process = psutil.Process(pid)
    with process.oneshot():
        memory = process.memory_full_info().uss / 2**20
        return Need(memory, process.num_threads(), process.num_fds())


def rise(needs: list[Need]) -> Need:
    """Return the median of the last third less that of the first third after the warm-up."""
    steady = needs[int(len(needs) * WARM_UP_SHARE) :]
    third = len(steady) // 3
    first, last = zip(*steady[:third], strict=True), zip(*steady[-third:], strict=True)
    middles = [
        (statistics.median(earlier), statistics.median(later))
        for earlier, later in zip(first, last, strict=True)
    ]
    return Need(*(later - earlier for earlier, later in middles))
