"""Measure, print every row, and tell which targets are missed.

``--check`` compares with what is recorded instead, ``--record`` records, ``--picture PATH`` draws.
"""

import argparse
import shutil
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


# What a part runs that pip does not install.
PROGRAMS = {"serving": "wrk", "celery": "redis-server"}


def main() -> int:
    """Measure, print, and return 1 if a target is missed, or with ``--check`` a row is worse."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], help="what to measure")
    parser.add_argument("--check", action="store_true", help="fail if a row got worse")
    parser.add_argument("--record", action="store_true", help="record the rows in the repository")
    parser.add_argument("--picture", metavar="PATH", help="draw the ratios there")
    options = parser.parse_args()
    if missing := _missing(options.parts or list(PARTS)):
        parser.exit(2, f"{missing}\n")
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
        status = _record(rows) or status
    return status


def _missing(parts: list[str]) -> str:
    """Return a sentence if a part needs a program that is not installed, else ""."""
    needed = {part: PROGRAMS[part] for part in parts if part in PROGRAMS}
    lacking = {part: program for part, program in needed.items() if not shutil.which(program)}
    if not lacking:
        return ""
    are, them = ("is", "it") if len(lacking) == 1 else ("are", "them")
    return (
        f"{' and '.join(lacking.values())} {are} not installed: install {them}, or name the parts "
        f"to measure, without {' and '.join(lacking)}"
    )


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
    recorded = comparison.read()
    worse = [each for each in comparison.compare(rows, recorded) if each.is_worse]
    for verdict in worse:
        print(f"worse: {verdict}")
    for difference in comparison.differences(recorded):
        print(f"differs: {difference}")
    print(f"{len(rows) - len(worse)} of {len(rows)} rows are as recorded, or better")
    return 1 if worse else 0


def _record(rows: list[Row]) -> int:
    refused = [sentence for row in rows if (sentence := comparison.why_not_recorded(row))]
    print(*refused, sep="\n", end="\n" if refused else "")
    comparison.record([row for row in rows if not comparison.why_not_recorded(row)])
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main())
