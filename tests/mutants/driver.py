"""Run a room's tests against its mutants: one collection, and a process forked for each mutant."""

import gc
import json
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from functools import partial
from itertools import zip_longest
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

import pytest

from tests.mutants.child import in_child, limit_processor_time
from tests.mutants.sharing import share

# What a test with a mutant may take of the processor: many times what it takes without, and so many
# seconds; and what it may take by the clock, on a machine that does much else.
LIMIT_FACTOR, LIMIT_SECONDS = 5, 3
CLOCK_FACTOR, CLOCK_SECONDS = 5, 20
WITHOUT_MUTANT_SECONDS = 3600
# Many tests wait more than they compute.
JUDGES = 2 * (os.cpu_count() or 1)


class Driver:
    """A plugin that takes the place of pytest's loop over the tests.

    All tests run in children: no thread of a test may be missing after a fork. `mutants` are the
    mutants of each function, `activate` takes one of them or ``stats``, after which `reached` tells
    the functions that were called. The verdicts go to the file, as they come.
    """

    def __init__(
        self,
        mutants: dict[str, list[str]],
        activate: Callable[[str], None],
        reached: Callable[[], set[str]],
        file: Path,
    ) -> None:
        self._mutants = mutants
        self._activate = activate
        self._reached = reached
        self._file = file
        self._failed: list[str] = []
        self._tests: dict[str, pytest.Item] = {}
        self._seconds: dict[str, float] = {}
        self._clock_seconds: dict[str, float] = {}
        self._kill_seconds: dict[str, float] = defaultdict(float)
        # Shared with the children of this process: how many tests they have begun.
        self._begun = RawValue("L", 0)
        self._reaching: dict[str, list[str]] = defaultdict(list)
        self._kills: Counter[tuple[str, str]] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self._failed.append(report.nodeid)

    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed:
            return None  # What could not be collected is told by pytest's own loop.
        self._tests = {item.nodeid: item for item in session.items}
        # The children share the pages of what the garbage collector does not visit.
        gc.freeze()
        if failed := self._run_without_mutant():
            pytest.exit("\n".join(["Fails without any mutant:", *failed]), 1)
        quickest_first = sorted(self._mutants, key=self._clock_seconds_of)
        judge = partial(self._judge_function, session.config)
        verdicts = {}
        for mutant, verdict in share(quickest_first, judge, JUDGES):
            verdicts[mutant] = verdict
            self._file.write_text(json.dumps(verdicts), "utf-8")
        return True

    def _run_without_mutant(self) -> list[str]:
        """Learn what each test reaches and how long it takes; return those that fail.

        Each runs alone, so that nothing is remembered of another, and then all in one process.
        """
        failed = set()
        for test in self._tests:
            work = partial(self._run_alone, test)
            began = time.monotonic()
            failures, reached, seconds = in_child(work, WITHOUT_MUTANT_SECONDS)
            self._clock_seconds[test] = time.monotonic() - began
            failed.update(failures)
            self._seconds[test] = seconds
            for function in reached:
                self._reaching[function].append(test)
        quickest_first = sorted(self._tests, key=self._clock_seconds.__getitem__)
        work = partial(self._run, quickest_first, "")
        failed.update(in_child(work, WITHOUT_MUTANT_SECONDS))
        return sorted(failed)

    def _run_alone(self, test: str) -> tuple[list[str], set[str], float]:
        """Return what fails, the functions that are called, and the seconds of the processor."""
        return self._run([test], "stats"), self._reached(), time.process_time()

    def _run(self, tests: list[str], mutant: str) -> list[str]:
        """Return the tests that fail; nothing more runs after the first that kills a mutant."""
        self._activate(mutant)
        items = [self._tests[test] for test in tests]
        for item, next_item in zip_longest(items, items[1:]):
            self._begun.value += 1
            if item.nodeid in self._seconds:
                limit_processor_time(LIMIT_FACTOR * self._seconds[item.nodeid] + LIMIT_SECONDS)
            item.ihook.pytest_runtest_protocol(item=item, nextitem=next_item)
            if mutant and self._failed:
                break
        return self._failed

    def _judge_function(self, config: pytest.Config, function: str) -> Iterator[tuple[str, str]]:
        """Yield the verdict on each of its mutants, while other processes judge other functions."""
        self._begun = RawValue("L", 0)
        # A process's first test with temporary files empties the folder of them all.
        config.option.basetemp = self._file.with_name(f"t{os.getpid()}")
        config.pluginmanager.get_plugin("tmpdir").pytest_configure(config)
        for mutant in self._mutants[function]:
            yield mutant, self._judge(function, mutant)

    def _judge(self, function: str, mutant: str) -> str:
        tests = self._reaching[function]
        # First what takes no time, and what has killed mutants of this function.
        tests.sort(key=lambda test: self._cost(test) / (1 + self._kills[function, test]))
        slowest = max((self._clock_seconds[test] for test in tests), default=0)
        seconds = CLOCK_SECONDS + int(CLOCK_FACTOR * slowest)
        began = time.monotonic()
        try:
            killers = in_child(
                partial(self._run, tests, mutant), seconds, lambda: self._begun.value
            )
        except ChildProcessError:
            return "no result"
        for test in killers:
            self._kills[function, test] += 1
            self._kill_seconds[test] = max(self._kill_seconds[test], time.monotonic() - began)
        return "killed" if killers else "survived"

    def _cost(self, test: str) -> float:
        """Return its seconds by the clock: a test that waits may take much longer to fail."""
        return max(self._clock_seconds[test], self._kill_seconds[test])

    def _clock_seconds_of(self, function: str) -> float:
        return sum(self._clock_seconds[test] for test in self._reaching[function])
