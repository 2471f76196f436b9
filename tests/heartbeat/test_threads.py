"""Threads that nobody waits for at the end of the process."""

import asyncio
import gc
import subprocess
import sys
import threading
import time

import pytest
from asgiref.sync import AsyncToSync, async_to_sync, sync_to_async
from django.db import connection, connections

from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.threads import _DaemonExecutor, _DaemonThreads
from tests.harness.waiting import wait_until

HANGING = """
import asyncio, sys, threading, time
from asgiref.sync import async_to_sync, sync_to_async
from dockerflow_django.heartbeat import threads

began = threading.Event()

def hang(seconds=600):
    print("hangs", flush=True)
    began.set()
    time.sleep(seconds)

async def hang_async():
    print("hangs", flush=True)
    began.set()
    await asyncio.sleep(600)

async def resolve():
    asyncio.get_running_loop().run_in_executor(None, hang)
    await asyncio.sleep(600)

ways = {
    "sync": hang,
    "async_to_sync": lambda: async_to_sync(hang_async)(),
    "async": lambda: threads.run_coroutine(hang_async()),
    "sync_to_async": lambda: threads.run_coroutine(sync_to_async(hang)()),
    "any thread": lambda: threads.run_coroutine(sync_to_async(hang, thread_sensitive=False)()),
    "to_thread": lambda: threads.run_coroutine(asyncio.to_thread(hang)),
    "executor": lambda: threads.run_coroutine(resolve()),
}
threads.start(ways[sys.argv[1]], name="hung")
assert began.wait(20)
"""


@pytest.mark.parametrize(
    "way",
    ["sync", "async_to_sync", "async", "sync_to_async", "any thread", "to_thread", "executor"],
)
def test_hung_check_does_not_delay_the_exit(way):
    """D20: whatever a check hangs in, in the ORM or in a look-up of a name, the process ends."""
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", HANGING, way], timeout=60, capture_output=True, check=False
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


def test_coroutine_ends_no_sooner_than_the_threads_it_started():
    """A check that gives up on a hung call is still running: no further run adds a thread."""
    ended = []

    def hang():
        time.sleep(0.2)
        ended.append(True)

    async def give_up():
        async with asyncio.timeout(0.01):
            await asyncio.to_thread(hang)

    with pytest.raises(TimeoutError):
        threads.run_coroutine(give_up())
    assert ended


def test_threads_that_a_sync_check_starts_for_a_loop_are_daemons():
    """`async_to_sync` in a check runs its event loop in a daemon thread, one after another."""
    found = []

    async def look():
        return threading.current_thread()

    def check():
        found.extend(async_to_sync(look)() for _ in range(2))

    done = threading.Event()
    threads.start(lambda: (check(), done.set()), name="check")
    assert done.wait(5)
    assert [(thread.daemon, thread.name) for thread in found] == [
        (True, "dockerflow-check-call")
    ] * 2


def test_threads_leave_nothing_behind():
    """However many threads there were, asgiref keeps no executor of theirs."""
    before = len(AsyncToSync.context_to_thread_executor)
    for _ in range(5):
        done = threading.Event()
        threads.start(done.set, name="check")
        assert done.wait(5)
    gc.collect()
    wait_until(lambda: len(AsyncToSync.context_to_thread_executor) <= before)


@pytest.mark.django_db(transaction=True)
def test_connections_of_every_thread_are_closed():
    """The ORM in `asyncio.to_thread` leaves no connection behind."""

    def ask():
        connection.ensure_connection()
        return connections["default"]

    used = threads.run_coroutine(asyncio.to_thread(ask))
    assert used is not connections["default"]
    assert used.connection is None


def test_thread_that_cannot_start_leaves_nothing_to_wait_for(monkeypatch):
    """At the limit of threads the check raises, and its run ends."""

    def refuse(function, *, name):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", refuse)
    for call in (sync_to_async(int), lambda: asyncio.to_thread(int)):
        with pytest.raises(RuntimeError):
            threads.run_coroutine(call())


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


@pytest.mark.parametrize("kind", [_DaemonExecutor, _DaemonThreads])
def test_executor_hands_on_all_arguments(kind):
    """As every executor does."""
    executor = kind()
    try:
        assert executor.submit(divmod, 7, 3).result(30) == (2, 1)
        assert executor.submit(int, "12", base=8).result(30) == 10
    finally:
        executor.shutdown()
