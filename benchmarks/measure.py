"""Contenders in processes of their own, asked in turn."""

import json
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from types import TracebackType
from typing import Self

ROUNDS = 9

Values = dict[str, float]


class Contender:
    """A subprocess that repeats one thing when it is told to, and says how long that took."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._hear()  # it is ready

    def seconds(self) -> float:
        """Let it repeat once more; return the seconds for one of its repetitions."""
        assert self._process.stdin
        self._process.stdin.write("again\n")
        self._process.stdin.flush()
        return float(self._hear())

    def _hear(self) -> float | str:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self._process.args} ended with {self._process.wait()}")
        return json.loads(line)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()


def ratio(name: str, peer: str) -> Callable[[Values], float]:
    """Return the figure that compares a contender with another."""
    return lambda values: values[name] / values[peer]


class Turns:
    """What each contender took, round by round."""

    def __init__(self, names: Iterable[str]) -> None:
        self.taken: dict[str, list[float]] = {name: [] for name in names}

    @property
    def medians(self) -> Values:
        """The median of each contender's rounds."""
        return {name: statistics.median(values) for name, values in self.taken.items()}

    def middle(self, figure: Callable[[Values], float]) -> float:
        """Return the median of the rounds' own figures.

        What slows the machine down for some rounds slows all contenders of these.
        """
        return statistics.median(self._figures(figure))

    def spread(self, figure: Callable[[Values], float]) -> float:
        """Return how far the rounds' own figures lie from their median: half of them nearer."""
        middle = self.middle(figure)
        return statistics.median(abs(each - middle) for each in self._figures(figure))

    def _figures(self, figure: Callable[[Values], float]) -> list[float]:
        rounds = zip(*self.taken.values(), strict=True)
        return [figure(dict(zip(self.taken, values, strict=True))) for values in rounds]


def take_turns(
    contenders: Mapping[str, tuple[str, ...]], rounds: int = ROUNDS, turns_each: int = 1
) -> Turns:
    """Start every contender and let them take turns; each turn's value is in seconds.

    In a round each has `turns_each` turns, and their median counts: short turns, so that what slows
    the machine down slows all of them. The first round warms up and does not count.
    """
    turns = Turns(contenders)
    with ExitStack() as stack:
        running = {
            name: stack.enter_context(Contender(*command)) for name, command in contenders.items()
        }
        for number in range(rounds + 1):
            seconds: dict[str, list[float]] = {name: [] for name in running}
            for _ in range(turns_each):
                for name, contender in running.items():
                    seconds[name].append(contender.seconds())
            if number:
                for name, values in seconds.items():
                    turns.taken[name].append(statistics.median(values))
    return turns


def serve(once: "Iterable[float]") -> None:
    """Be a contender: say that all is ready, then take one value from `once` for each line read."""
    iterator = iter(once)
    print(json.dumps("ready"), flush=True)
    for _ in sys.stdin:
        print(json.dumps(next(iterator)), flush=True)
