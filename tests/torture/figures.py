"""The figures of a run: noted by tests, printed at its end, and kept for the documentation."""

import csv
import json
from collections.abc import Iterable
from dataclasses import astuple, dataclass
from pathlib import Path

PROPERTY = "figure"
HEADER = ("proof", "case", "what", "figure")


@dataclass(frozen=True, order=True)
class Figure:
    """One measured value: ``("Storm", "Granian, ASGI", "slowest answer", "0.9 s")``."""

    proof: str
    case: str
    what: str
    value: str


class Figures:
    """What one test notes; its report carries it, from another process too."""

    def __init__(self, properties: list[tuple[str, object]]) -> None:
        self._properties = properties

    def note(self, proof: str, case: str, **values: object) -> None:
        """Note one figure a keyword; an underscore in a keyword stands for a space."""
        for name, value in values.items():
            figure = Figure(proof, case, name.replace("_", " "), str(value))
            self._properties.append((PROPERTY, json.dumps(astuple(figure))))


def noted(properties: Iterable[tuple[str, object]]) -> list[Figure]:
    """Return the figures among a report's properties."""
    return [Figure(*json.loads(str(value))) for name, value in properties if name == PROPERTY]


def lines(figures: Iterable[Figure]) -> list[str]:
    """Return one line a figure, for a terminal."""
    return [f"{one.proof}: {one.case}: {one.what}: {one.value}" for one in figures]


def keep(path: Path, figures: Iterable[Figure]) -> None:
    """Write the figures into the table at `path`, in order; what is not replaced stays."""
    kept = {row[:3]: row[3] for row in _rows(path)}
    kept |= {(one.proof, one.case, one.what): one.value for one in figures}
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(HEADER)
        writer.writerows([*key, value] for key, value in sorted(kept.items()))


def _rows(path: Path) -> list[tuple[str, ...]]:
    if not path.exists():
        return []
    with path.open(newline="") as file:
        return [tuple(row) for row in csv.reader(file)][1:]
