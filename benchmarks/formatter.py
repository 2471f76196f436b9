"""How long formatting one summary record takes."""

import logging
import sys
import time
from collections.abc import Iterator

from benchmarks.measure import ratio, serve, take_turns
from benchmarks.rows import Row, microseconds
from dockerflow_django.logging.making import make_record

REPETITIONS, TURNS, ROUNDS = 1000, 9, 11
PEER, STDLIB, ORJSON = "python-dockerflow", "standard library", "orjson"
EXTRA = {
    "agent": "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0",
    "code": 200,
    "lang": "de",
    "method": "GET",
    "path": "/shop/items/42/",
    "rid": "9f86d081884c7d659a2feaa0c55ad015",
    "route": "shop/items/<int:pk>/",
    "t": 12,
    "uid": "42",
    "errno": 0,
}


def rows() -> list[Row]:
    """Measure both encoders beside the peer."""
    names = (PEER, "python-json-logger", STDLIB, ORJSON)
    turns = take_turns({name: ("benchmarks.formatter", name) for name in names}, ROUNDS, TURNS)
    taken = turns.medians
    beside = ", ".join(f"{name} {microseconds(taken[name])}" for name in names[:2])
    found = []
    for key, name, target in (("stdlib", STDLIB, 0.55), ("orjson", ORJSON, 0.33)):
        what = f"formatting a summary record, {name}, against python-dockerflow's"
        measured = f"{microseconds(taken[name])}; {beside}"
        figure = ratio(name, PEER)
        spread = turns.spread(figure)
        found.append(Row(f"formatter-{key}", what, turns.middle(figure), target, measured, spread))
    return found


def formatter(name: str) -> logging.Formatter:
    """Make the contender's formatter."""
    if name == PEER:
        from dockerflow.logging import MozlogFormatter

        return MozlogFormatter(logger_name="shop")
    if name == "python-json-logger":
        from pythonjsonlogger.json import JsonFormatter

        return JsonFormatter(["created", "name", "levelno", "process", "message"])
    if name == STDLIB:
        sys.modules["orjson"] = None  # type: ignore[assignment] # as if it were not installed
    from dockerflow_django.logging import MozlogFormatter as Ours

    return Ours(logger_name="shop")


def main(name: str) -> Iterator[float]:
    """Format over and over; yield the seconds for one record."""
    form = formatter(name).format
    record = make_record("request.summary", logging.INFO, "")
    record.__dict__.update(EXTRA)
    while True:
        began = time.process_time()
        for _ in range(REPETITIONS):
            form(record)
        yield (time.process_time() - began) / REPETITIONS


if __name__ == "__main__":
    serve(main(sys.argv[1]))
