"""Compare a run with the one that is recorded in the repository.

A row may be worse than what is recorded by its margin: four times the spread of the rounds, of the
run that is recorded or of this one, whichever is more, and at least a tenth of the figure. Each
spread is a median deviation, and a figure is a median too, so that chance alone goes beyond it less
than once in a hundred runs; a machine that is busy with something else has a greater spread, and so
a greater margin.
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

from benchmarks.rows import Row

RECORDED = Path(__file__).with_name("recorded.json")
SPREADS = 4
LEAST_SHARE = 0.1
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
            f"allowed {word} {self.limit:.3f}{unit} ({self.row.what})"
        )


def compare(rows: Iterable[Row], recorded: Recorded) -> list[Verdict]:
    """Return a verdict on each row; a row that is not recorded is a `KeyError`."""
    return [_judge(row, recorded["rows"][row.key]) for row in rows]


def _judge(row: Row, before: Recorded) -> Verdict:
    spread = max(row.spread, before["spread"])
    margin = max(SPREADS * spread, LEAST_SHARE * abs(before["ratio"]))
    return Verdict(row, before["ratio"], margin)


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
    recorded["versions"] = {"python": platform.python_version(), **_versions()}
    path.write_text(json.dumps(recorded, indent=1, sort_keys=True) + "\n", "utf-8")


def machine() -> str:
    """Name the processor, the cores and the system."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines()
        if line.startswith("model name")
    ]
    processor = names[0] if names else platform.machine()
    return f"{os.cpu_count()} cores of {processor}, {platform.system()} {platform.release()}"


def _versions() -> dict[str, str]:
    found = {}
    for name in LIBRARIES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
