"""What a Celery task costs: a prefork worker on Redis, bare and instrumented, in turn."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from benchmarks.measure import Turns, ratio
from benchmarks.rows import Row, microseconds

BARE, OURS = "bare", "ours"
TASKS = 500
ROUNDS = 9
WAIT_SECONDS = 60


def rows() -> list[Row]:
    """Measure the time of an empty task, one after the other: the best round of each worker."""
    with _redis() as url, ExitStack() as stack:
        for name in (BARE, OURS):
            stack.enter_context(_worker(url, name))
        turns = Turns((BARE, OURS))
        for number in range(ROUNDS + 1):
            # Turn about, so that neither always comes second.
            for name in sorted(turns.taken, reverse=bool(number % 2)):
                seconds = _run(url, name)
                if number:
                    turns.taken[name].append(seconds)
    # Two processes and Redis take part: whatever else runs only adds to a round.
    bare, ours = min(turns.taken[BARE]), min(turns.taken[OURS])
    measured = f"{microseconds(ours)}; the bare task {microseconds(bare)}"
    spread = turns.spread(ratio(OURS, BARE))
    what = "a Celery task (prefork, Redis), against the bare task"
    return [Row("celery", what, ours / bare, 1.05, measured, spread)]


def _run(url: str, name: str) -> float:
    """Let the worker take a full queue; return the seconds for each task."""
    import redis
    from celery import Celery

    app = Celery("benchmark", broker=url, set_as_current=False, fixups=[])
    client = redis.Redis.from_url(url, socket_timeout=None)
    send = "benchmarks.celery_project."
    app.send_task(f"{send}wait_for", [f"{name}-go"], queue=name)
    for _ in range(TASKS):
        app.send_task(f"{send}nothing", queue=name, headers={"dockerflow_rid": "a" * 32})
    app.send_task(f"{send}tell", [f"{name}-done"], queue=name)
    time.sleep(0.3)  # the child waits, and the worker has taken what it may
    began = time.perf_counter()
    client.rpush(f"{name}-go", "go")
    assert client.blpop([f"{name}-done"], timeout=WAIT_SECONDS), "the worker does not answer"
    return (time.perf_counter() - began) / TASKS


@contextmanager
def _worker(url: str, name: str) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-q", "-A", "benchmarks.celery_project", "worker"]
    options = ["--concurrency=1", "--without-gossip", "--without-mingle", f"--queues={name}"]
    env = os.environ | {
        "BENCHMARK": name,
        "BENCHMARK_BROKER": url,
        "BENCHMARK_QUEUE": name,
        "C_FORCE_ROOT": "1",
        "DOCKERFLOW_PROBE_HOST": "127.0.0.1",
        "DOCKERFLOW_PROBE_PORT": str(_free_port()),
    }
    process = subprocess.Popen(
        [*command, *options], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


@contextmanager
def _redis() -> Iterator[str]:
    port = _free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        _wait_until_it_listens(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(WAIT_SECONDS)


def _wait_until_it_listens(port: int) -> None:
    end = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise SystemExit("redis-server does not answer")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
