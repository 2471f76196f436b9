"""What a container's health check costs: a process that starts, asks and ends."""

import subprocess
import sys
import time
from collections.abc import Iterator

from benchmarks.measure import ratio, serve, take_turns
from benchmarks.rows import Row
from benchmarks.servers import served

OURS, PEER = "python -m dockerflow_django.healthcheck", "manage.py health_check"
PING = ("health_check", "ping", "--forwarded-proto", "http")
URL = "http://127.0.0.1:{port}/__lbheartbeat__"


def rows() -> list[Row]:
    """Measure beside django-health-check's command, both asking the same server."""
    command = ["granian", "--interface", "wsgi", "benchmarks.healthcheck_peer:wsgi"]
    with served(command, {}) as (port, _):
        commands = {name: ("benchmarks.healthcheck", name, str(port)) for name in (OURS, PEER)}
        turns = take_turns(commands)
    taken = turns.medians
    measured = (
        f"{taken[OURS] * 1e3:.0f} ms; {PEER} of django-health-check {taken[PEER] * 1e3:.0f} ms"
    )
    what = f"{OURS}, against `{PEER}` of django-health-check"
    figure = ratio(OURS, PEER)
    return [Row("healthcheck", what, turns.middle(figure), 0.10, measured, turns.spread(figure))]


def main(name: str, port: str) -> Iterator[float]:
    """Run the command over and over; yield its seconds."""
    address = f"127.0.0.1:{port}"
    command = {
        OURS: [sys.executable, "-m", "dockerflow_django.healthcheck", URL.format(port=port)],
        PEER: [sys.executable, "-m", "benchmarks.healthcheck_peer", *PING[:2], address, *PING[2:]],
    }[name]
    while True:
        began = time.perf_counter()
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        yield time.perf_counter() - began


if __name__ == "__main__":
    serve(main(*sys.argv[1:]))
