"""Compare a run with the one that is recorded in the repository.

A row may be worse than what is recorded by its margin: four times the spread of the rounds, of the
run that is recorded or of this one, whichever is more, at least a tenth of the figure and at most
half of it, or of the target if that is more: a figure may be near zero. A machine that is busy with
something else has a greater spread. If the margin would be more than half, the row is not recorded;
and where a run is compared, it may be worse by chance, and the verdict says so.
"""

import json
import os
import platform
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks.machine import machine
from benchmarks.rows import Row

RECORDED = Path(__file__).with_name("recorded.json")
SPREADS = 4
LEAST_SHARE, MOST_SHARE = 0.1, 0.5
LIBRARIES = (
    "django",
    "dockerflow",
    "django-structlog",
    "django-guid",
    "django-health-check",
    "django-prometheus",
    "python-json-logger",
    "orjson",
    "granian",
    "gunicorn",
    "celery",
)

Recorded = Mapping[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What the comparison says of one row."""

    row: Row
    recorded: float
    margin: float

    @property
    def limit(self) -> float:
        """The worst figure that is still like the one recorded."""
        return self.recorded + (self.margin if self.row.better == "low" else -self.margin)

    @property
    def is_worse(self) -> bool:
        """Whether the row is worse by more than its margin."""
        worse = self.row.ratio - self.limit
        return worse > 0 if self.row.better == "low" else worse < 0

    def __str__(self) -> str:
        unit = f" {self.row.unit}" if self.row.unit else ""
        word = "at most" if self.row.better == "low" else "at least"
        return (
            f"{self.row.key}: {self.row.ratio:.3f}{unit}, recorded {self.recorded:.3f}{unit}, "
            f"allowed {word} {self.limit:.3f}{unit} ({self.row.what}){self._doubt}"
        )

    @property
    def _doubt(self) -> str:
        if self.row.spread <= most_spread(self.row):
            return ""
        return (
            f"; its rounds differ by {self.row.spread:.3f}{self.row.unit and ' ' + self.row.unit}, "
            "so this may be chance: measure it again on a quiet machine"
        )


def compare(rows: Iterable[Row], recorded: Recorded) -> list[Verdict]:
    """Return a verdict on each row; a row that is not recorded is a `KeyError`."""
    return [_judge(row, recorded["rows"][row.key]) for row in rows]


def _judge(row: Row, before: Recorded) -> Verdict:
    spread, scale = max(row.spread, before["spread"]), _scale(row, before["ratio"])
    margin = max(SPREADS * spread, LEAST_SHARE * scale)
    return Verdict(row, before["ratio"], min(margin, MOST_SHARE * scale))


def most_spread(row: Row) -> float:
    """Return the spread up to which a row is recorded: with more of it, its margin is capped."""
    return MOST_SHARE / SPREADS * _scale(row, row.ratio)


def why_not_recorded(row: Row) -> str:
    """Return a sentence if the rounds of a row differ too much for it to be recorded, else ""."""
    most = most_spread(row)
    if row.spread <= most:
        return ""
    return (
        f"not recorded: {row.key}: its rounds differ by {row.spread:.3f}, more than {most:.3f} "
        f"({MOST_SHARE / SPREADS:.1%} of {_scale(row, row.ratio):.3f}); measure it again on a "
        "quiet machine"
    )


def _scale(row: Row, ratio: float) -> float:
    return max(abs(ratio), row.target)


def read(path: Path | None = None) -> dict[str, Any]:
    """Return what is recorded; without a file there are no rows."""
    path = path or RECORDED
    if not path.exists():
        return {"rows": {}}
    recorded: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return recorded


def record(rows: Iterable[Row], path: Path | None = None) -> None:
    """Write the rows, each with its moment and the machine's load; other rows stay as they were."""
    path = path or RECORDED
    recorded = read(path)
    moment = {
        "measured_at": f"{datetime.now(UTC):%Y-%m-%d}",
        "load": round(os.getloadavg()[1], 1),
    }
    for row in rows:
        fields = asdict(row)
        recorded["rows"][fields.pop("key")] = {
            **fields,
            "ratio": round(row.ratio, 4),
            "spread": round(row.spread, 4),
            **moment,
        }
    recorded["machine"] = machine()
    recorded["versions"] = _versions()
    path.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", "utf-8")


def differences(recorded: Recorded) -> list[str]:
    """Return what was otherwise when the rows were recorded: the machine, Python, a library."""
    then = {"machine": recorded["machine"], **recorded["versions"]}
    now = {"machine": machine(), **_versions()}
    return [
        f"{name}: recorded with {then.get(name, 'none')}, here {now.get(name, 'none')}"
        for name in {**then, **now}
        if then.get(name) != now.get(name)
    ]


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
