"""A thousand heartbeats over sockets while one check hangs: one run, one thread, no waiting."""

import http.client
import os
import statistics
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from benchmarks.rows import Row
from benchmarks.servers import served

REQUESTS, CONCURRENT, TIMEOUT_SECONDS = 1000, 100, 0.8
SERVERS = {
    "Granian ASGI": ["granian", "--interface", "asgi", "benchmarks.storm:asgi"],
    "Gunicorn gthread": ["gunicorn", "--threads", "8", "benchmarks.storm:wsgi"],
}


def rows() -> list[Row]:
    """Send the storm to each server."""
    return [_storm(name, command) for name, command in SERVERS.items()]


def _storm(name: str, command: list[str]) -> Row:
    with (
        tempfile.TemporaryDirectory() as folder,
        served(command, {"BENCH_FOLDER": folder}) as (port, _),
    ):
        with ThreadPoolExecutor(CONCURRENT) as pool:
            began = time.perf_counter()
            answers = sorted(pool.map(lambda _: _ask(port, began), range(REQUESTS)))
        runs = len(Path(folder, "runs").read_text().splitlines())
        threads = Path(folder, "runs").read_text().splitlines()[-1]
    first = answers[0][1]
    # Who came before the timeout waits for it, who came after is answered at once.
    later = [took for began, took in answers if began > TIMEOUT_SECONDS]
    measured = (
        f"{runs} run in {threads} check thread; the first answered after {first:.2f} s (timeout "
        f"{TIMEOUT_SECONDS} s), those after it after {statistics.median(later) * 1e3:.1f} ms "
        f"(median of {len(later)}, {CONCURRENT} at once, the queueing in the server included)"
    )
    what = f"{REQUESTS:,} heartbeats on {name}, one check hung: its runs"
    return Row(f"storm-{name.split(maxsplit=1)[0].lower()}", what, float(runs), 1.0, measured)


def _ask(port: int, epoch: float) -> tuple[float, float]:
    began = time.perf_counter()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/__heartbeat__")
    response = connection.getresponse()
    response.read()
    connection.close()
    assert response.status == 500, response.status
    return began - epoch, time.perf_counter() - began


def check_hung(app_configs: object, **kwargs: object) -> list[Any]:
    """Count the run, and how many check threads there are, and hang."""
    time.sleep(TIMEOUT_SECONDS / 2)  # let the first wave arrive
    threads = [t for t in threading.enumerate() if t.name.startswith("dockerflow-")]
    with Path(os.environ["BENCH_FOLDER"], "runs").open("a") as file:
        file.write(f"{len(threads)}\n")
    time.sleep(600)
    return []


def __getattr__(name: str) -> Any:
    if name not in {"asgi", "wsgi"}:
        raise AttributeError(name)
    from benchmarks import projects

    projects.configure(
        projects.OURS,
        quiet=True,
        DOCKERFLOW_CHECKS=["benchmarks.storm.check_hung"],
        DOCKERFLOW_CHECK_TIMEOUT=TIMEOUT_SECONDS,
        DATABASES={},
    )
    from django.core.asgi import get_asgi_application
    from django.core.wsgi import get_wsgi_application

    return get_asgi_application() if name == "asgi" else get_wsgi_application()
