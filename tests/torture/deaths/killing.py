"""Who dies next, and how."""

import re
import time
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPException
from itertools import cycle
from signal import SIGABRT, SIGKILL, SIGSEGV, SIGTERM, SIGUSR1, Signals
from urllib.parse import quote

import psutil

from dockerflow_django.serve.deaths import DEATHS, SECONDS
from tests.harness.http import Connection
from tests.harness.served import Served
from tests.harness.waiting import wait_until
from tests.torture.deaths.ways import WAYS

SIGNALS = (SIGKILL, SIGSEGV, SIGABRT, SIGTERM)
# One by a signal, one by a request, and so on.
ALL_WAYS: list[Signals | str] = [
    way for pair in zip([*SIGNALS, *SIGNALS], WAYS, strict=True) for way in pair
]
# A server may catch what a view raises so, answer or hang up, and live: Granian's WSGI and the
# worker classes sync and gevent do.
MAYBE = "sys.exit"
MAYBE_SECONDS = 5.0
# Longer than a server gives what is in flight.
DYING_SECONDS = 40.0
# The longest time from a worker's birth until the test waits for it.
BIRTH_SECONDS = 2.0


@dataclass(frozen=True)
class Death:
    """From when an attempt was made until when the worker was gone, and whether it had served."""

    began_at: float
    ended_at: float
    had_served: bool


class Reaper:
    """Ends workers of an instance, each place below its limit, and keeps when each has died."""

    def __init__(self, instance: Served, workers: int, start_seconds: float) -> None:
        self._instance = instance
        self._workers = workers
        self._start_seconds = start_seconds
        # From when to when all were waited for, where that took about as long as a start may.
        self.slow_starts: list[tuple[float, float]] = []
        self._ways = cycle(ALL_WAYS)
        # By place, which only `serve` has: a worker of Gunicorn never has the number of another.
        self._deaths: defaultdict[int, list[float]] = defaultdict(list)
        # By pid, which the kernel may give to a later worker.
        self.died: defaultdict[int, list[Death]] = defaultdict(list)
        self.ways: Counter[str] = Counter()

    @property
    def deaths(self) -> int:
        """How many workers have died."""
        return sum(map(len, self.died.values()))

    def end_one(self) -> None:
        """End one worker that serves, by the next way, and wait until all serve again."""
        way = next(self._ways)
        pid = self.pick(most=DEATHS - 2)
        if isinstance(way, Signals):
            self.kill(pid, way)
        else:
            self._ask_to_die(pid, way)
        self.wait_until_all_serve()

    def pick(self, most: int) -> int:
        """Return the oldest worker of a place where so many at most have died lately."""

        def found() -> list[int]:
            return [pid for pid, place in self.serving().items() if self._lately(place) <= most]

        return wait_until(found, timeout=SECONDS + 30, what="a place below its limit")[0]

    def wait_until_all_may_die(self) -> None:
        """Wait until one more death of each place is below its limit."""
        wait_until(
            lambda: all(self._lately(place) <= DEATHS - 2 for place in self.serving().values()),
            timeout=SECONDS + 30,
            what="all places below their limits",
        )

    def _lately(self, place: int) -> int:
        since = time.monotonic() - SECONDS - 5
        return sum(at > since for at in self._deaths[place])

    def serving(self) -> dict[int, int]:
        """Return the workers that serve, the oldest first: their places by their pids."""
        said = (re.search(r"Worker (\d+) \(pid (\d+)\) serves", x) for x in self._instance.lines())
        places: dict[int, int] = {}
        times: Counter[int] = Counter()
        for found in filter(None, said):
            place, pid = int(found[1]), int(found[2])
            places.pop(pid, None)
            places[pid] = place
            times[pid] += 1
        alive = set(self._instance.workers())
        # One that begins with the pid of a dead one has not said so yet.
        return {
            pid: place
            for pid, place in places.items()
            if pid in alive and times[pid] > sum(death.had_served for death in self.died[pid])
        }

    def wait_until_all_serve(self) -> None:
        began_at = time.monotonic()
        wait_until(
            lambda: len(self.serving()) == self._workers == len(self._instance.workers()),
            timeout=60,
            what=lambda: "\n".join(("all serve again", *self._instance.lines()[-40:])),
        )
        ended_at = time.monotonic()
        # Some were born before somebody waited for them.
        if ended_at - began_at > self._start_seconds - BIRTH_SECONDS:
            self.slow_starts.append((began_at, ended_at))

    def kill(self, pid: int, number: Signals, *, place: int | None = None) -> None:
        """End a worker by a signal; if it does not serve yet, `place` is its place."""
        had_served = place is None
        place = self.serving()[pid] if place is None else place
        worker = psutil.Process(pid)
        began_at = time.monotonic()
        worker.send_signal(number)
        wait_until(
            lambda: not worker.is_running(),
            timeout=DYING_SECONDS,
            what=lambda: (
                f"{number.name} ends worker {pid} of place {place}\n{self._stacks(worker)}"
            ),
        )
        self._note(pid, place, began_at, number.name, had_served=had_served)

    def _stacks(self, worker: psutil.Process) -> str:
        """Return what each thread of a worker does, if it can still tell, and the last lines."""
        status = worker.status()
        worker.send_signal(SIGUSR1)
        with suppress(AssertionError):
            self._instance.wait_for_line("most recent call first", timeout=5)
        return "\n".join((f"it is {status}", *self._instance.lines()[-80:]))

    def _ask_to_die(self, wanted: int, way: str) -> None:
        """Have a request end a worker: the one that is wanted, if connections are kept."""
        before = self.serving()
        workers = [psutil.Process(pid) for pid in before]
        connection = self._connection_to(wanted)
        began_at = time.monotonic()
        try:
            with suppress(OSError, HTTPException):
                connection.request("GET", f"/die/?how={quote(way)}")
        finally:
            connection.hang_up()
        try:
            (pid,) = wait_until(
                lambda: [worker.pid for worker in workers if not worker.is_running()],
                timeout=MAYBE_SECONDS if way == MAYBE else DYING_SECONDS,
                what=f"one dies by {way}",
            )
        except AssertionError:
            if way == MAYBE:
                return
            raise
        self._note(pid, before[pid], began_at, way)

    def _connection_to(self, pid: int) -> Connection:
        """Return a connection to the worker, or to any if the server keeps none."""
        for _ in range(100 * self._workers):
            connection = self._instance.connect()
            answer = connection.request("GET", "/work/?number=0")
            is_kept = answer.headers.get("Connection", "keep-alive") != "close"
            if not is_kept or int(answer.body) == pid:
                break
            connection.hang_up()
        else:
            raise AssertionError(f"no connection reached the worker {pid}")
        if is_kept:
            return connection
        connection.hang_up()
        return self._instance.connect()

    def died_at(self, place: int) -> None:
        """Note that a worker of this place has died."""
        self._deaths[place].append(time.monotonic())

    def _note(
        self, pid: int, place: int, began_at: float, way: str, *, had_served: bool = True
    ) -> None:
        self.died[pid].append(Death(began_at, time.monotonic(), had_served))
        self.died_at(place)
        self.ways[way] += 1
