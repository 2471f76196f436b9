"""Measure, print every row, and tell which targets are missed.

``--check`` compares with what is recorded instead, ``--record`` records, ``--picture PATH`` draws.
"""

import argparse
import sys
from collections.abc import Callable

from benchmarks import (
    celery_tasks,
    comparison,
    formatter,
    healthcheck,
    heartbeat,
    metrics,
    middleware,
    serving,
    startup,
    storm,
)
from benchmarks.rows import Row

PARTS: dict[str, Callable[[], list[Row]]] = {
    "formatter": formatter.rows,
    "middleware": middleware.rows,
    "serving": serving.rows,
    "startup": startup.rows,
    "heartbeat": heartbeat.rows,
    "metrics": metrics.rows,
    "storm": storm.rows,
    "healthcheck": healthcheck.rows,
    "celery": celery_tasks.rows,
}


def main() -> int:
    """Measure, print, and return 1 if a target is missed, or with ``--check`` a row is worse."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure")
    parser.add_argument("--check", action="store_true", help="fail if a row got worse")
    parser.add_argument("--record", action="store_true", help="record the rows in the repository")
    parser.add_argument("--picture", metavar="PATH", help="draw the ratios there")
    options = parser.parse_args()
    rows: list[Row] = []
    for name in options.parts or PARTS:
        for row in PARTS[name]():
            rows.append(row)
            _show(row)
    if options.picture:
        from benchmarks.picture import draw

        draw(rows, options.picture)
    status = _check(rows) if options.check else _judge(rows)
    if options.record:
        comparison.record(rows)
    return status


def _show(row: Row) -> None:
    mark = "reached" if row.reached else "MISSED"
    unit = f" {row.unit}" if row.unit else ""
    limit = "at most" if row.better == "low" else "at least"
    print(f"{row.ratio:6.3f}{unit}  ({limit} {row.target:.2f}, {mark})  {row.what}", flush=True)
    print(f"        {row.measured}; spread {row.spread:.3f}", flush=True)


def _judge(rows: list[Row]) -> int:
    missed = [row for row in rows if not row.reached]
    print(f"{len(rows) - len(missed)} of {len(rows)} targets reached")
    return 1 if missed else 0


def _check(rows: list[Row]) -> int:
    worse = [each for each in comparison.compare(rows, comparison.read()) if each.is_worse]
    for verdict in worse:
        print(f"worse: {verdict}")
    print(f"{len(rows) - len(worse)} of {len(rows)} rows are as recorded, or better")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
