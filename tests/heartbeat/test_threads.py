"""Threads that nobody waits for at the end of the process."""

import asyncio
import subprocess
import sys
import threading
import time

import pytest
from asgiref.sync import sync_to_async

from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.threads import _DaemonExecutor

HANGING = """
import asyncio, threading, time
from asgiref.sync import sync_to_async
from dockerflow_django.heartbeat import threads

async def hang():
    print("hangs", flush=True)
    await sync_to_async(time.sleep)(600)

entered = threading.Event()
threads.start(lambda: threads.run_coroutine(hang()), name="hung")
threads.start(lambda: (entered.set(), time.sleep(600)), name="hung-too")
entered.wait()
time.sleep(0.2)
"""


def test_hung_check_does_not_delay_the_exit(tmp_path):
    """D20: neither a sync nor an async check that hangs, in the ORM even, holds the process."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HANGING], timeout=60, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert b"hangs" in done.stdout
    assert time.monotonic() - began < 30


def test_coroutine_runs_on_a_loop_of_its_own():
    """A coroutine returns and raises as if it were called."""

    async def answer():
        await asyncio.sleep(0)
        return 42

    async def fail():
        raise LookupError

    assert threads.run_coroutine(answer()) == 42
    with pytest.raises(LookupError):
        threads.run_coroutine(fail())


def test_coroutines_sync_calls_share_one_thread():
    """What a check hands to `sync_to_async` runs in one thread, so that it has one connection."""

    async def names():
        return {await sync_to_async(threading.current_thread)() for _ in range(3)}

    (thread,) = threads.run_coroutine(names())
    assert thread is not threading.current_thread()
    assert thread.daemon
    thread.join(5)
    assert not thread.is_alive()


def test_executor_passes_on_what_a_call_raises():
    """An exception belongs to the one who waits for the call."""
    executor = _DaemonExecutor()

    def fail():
        raise LookupError

    with pytest.raises(LookupError):
        executor.submit(fail).result(5)
    executor.shutdown()


def test_executor_leaves_a_cancelled_call_out():
    """A call that nobody waits for any more is not made, and an idle executor has no thread."""
    executor = _DaemonExecutor()
    executor.shutdown()
    assert not executor.is_started
    gate, calls = threading.Event(), []
    first = executor.submit(gate.wait, 5)
    second = executor.submit(calls.append, 1)
    assert second.cancel()
    gate.set()
    assert first.result(5)
    executor.submit(int).result(5)
    executor.shutdown()
    assert calls == []
