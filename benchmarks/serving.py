"""What the app costs a project that Granian serves: requests a second, and memory."""

import json
import os
import re
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import psutil

from benchmarks.measure import Turns, Values, ratio
from benchmarks.projects import BARE, DOCKERFLOW, GUID, OURS, STRUCTLOG
from benchmarks.rows import Row
from benchmarks.servers import served

COMMAND = ["granian", "--interface", "wsgi", "--blocking-threads", "1", "benchmarks.serving:wsgi"]
PEERS = (DOCKERFLOW, STRUCTLOG, GUID)
# Each start of the servers is another layout of memory; in each the servers take turns.
STARTS, ROUNDS = 3, 4
SECONDS, CONNECTIONS = 1, 4
MIB = 2**20


def rows() -> list[Row]:
    """Let the contenders' servers take turns under the same load, and look at their memory."""
    names = (BARE, OURS, *PEERS)
    rates, memory = Turns(names), Turns(names)
    asked: list[float] = []
    for _ in range(STARTS):
        with _servers(names) as ports:
            for number in range(ROUNDS + 1):
                for name, (port, _) in ports.items():
                    rate = _requests_a_second(port)
                    if number:
                        rates.taken[name].append(rate)
            for name, (_, worker) in ports.items():
                memory.taken[name].append(_mebibytes(worker))
            port, worker = ports[OURS]
            asked.append(_mebibytes_after_heartbeat(port, worker))
    return [_speed(rates), _memory(memory, statistics.median(asked))]


def _speed(turns: Turns) -> Row:
    rates = turns.medians
    peers = ", ".join(f"{name} {rates[name] / rates[BARE]:.2f}" for name in PEERS)
    what = "requests a second on Granian (WSGI, one worker, one thread), against the same without"
    return Row(
        "requests",
        f"{what} the app",
        turns.middle(ratio(OURS, BARE)),
        0.80,
        f"{rates[OURS]:.0f}; without {rates[BARE]:.0f}; with {peers}",
        turns.spread(ratio(OURS, BARE)),
        better="high",
    )


def _memory(turns: Turns, asked: float) -> Row:
    used = turns.medians
    peers = ", ".join(f"{name} {used[name] - used[BARE]:+.1f}" for name in PEERS)
    return Row(
        "memory",
        "memory of a serving process, more than the same project without the app",
        turns.middle(_more),
        1.5,
        f"{used[OURS]:.1f} MiB; without {used[BARE]:.1f} MiB; with {peers} MiB; with ours after a "
        f"first heartbeat {asked - used[BARE]:+.1f} MiB",
        turns.spread(_more),
        unit="MiB",
    )


def _more(values: Values) -> float:
    return values[OURS] - values[BARE]


@contextmanager
def _servers(names: tuple[str, ...]) -> Iterator[dict[str, tuple[int, psutil.Process]]]:
    """Start a server for each; yield their ports and workers."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ports = {}
        for number, name in enumerate(names):
            environ = {"BENCH_CONTENDER": name, "BENCH_LOG": str(folder / f"{number}.log")}
            port, server = stack.enter_context(served(COMMAND, environ, "/empty/"))
            (worker,) = [
                child
                for child in psutil.Process(server.pid).children()
                if "resource_tracker" not in " ".join(child.cmdline())
            ]
            ports[name] = port, worker
        yield ports


def _requests_a_second(port: int) -> float:
    options = ["-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "-H", "User-Agent: benchmark"]
    done = subprocess.run(
        ["wrk", *options, f"http://127.0.0.1:{port}/empty/"],
        capture_output=True,
        check=True,
        text=True,
        timeout=60,
    )
    assert "Non-2xx" not in done.stdout, done.stdout
    found = re.search(r"Requests/sec:\s+([\d.]+)", done.stdout)
    assert found, done.stdout
    return float(found[1])


def _mebibytes(worker: psutil.Process) -> float:
    """Return what the process has for itself: what would be free if it ended."""
    used: int = worker.memory_full_info().uss
    return used / MIB


def _mebibytes_after_heartbeat(port: int, worker: psutil.Process) -> float:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", "/__heartbeat__")
        # It may fail: nobody has migrated the project.
        assert "status" in json.load(connection.getresponse())
    return _mebibytes(worker)


def __getattr__(name: str) -> Any:
    if name != "wsgi":
        raise AttributeError(name)
    from benchmarks.startproject import application

    log = Path(os.environ["BENCH_LOG"]).open("w")  # noqa: SIM115 - for good
    return application(os.environ["BENCH_CONTENDER"], log)
