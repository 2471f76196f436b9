"""Print every row, and draw them for the documentation with ``--picture PATH``."""

import argparse
import sys
from collections.abc import Callable

from benchmarks import celery_tasks, formatter, healthcheck, heartbeat, metrics, middleware, storm
from benchmarks.rows import Row

PARTS: dict[str, Callable[[], list[Row]]] = {
    "formatter": formatter.rows,
    "middleware": middleware.rows,
    "heartbeat": heartbeat.rows,
    "metrics": metrics.rows,
    "storm": storm.rows,
    "healthcheck": healthcheck.rows,
    "celery": celery_tasks.rows,
}


def main() -> int:
    """Measure, print, and return 1 where a target is missed."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure")
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
    missed = [row for row in rows if not row.reached]
    print(f"{len(rows) - len(missed)} of {len(rows)} targets reached")
    return 1 if missed else 0


def _show(row: Row) -> None:
    mark = "reached" if row.reached else "MISSED"
    print(f"{row.ratio:6.3f}  (to reach: {row.target:.2f}, {mark})  {row.what}", flush=True)
    print(f"        {row.measured}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
