"""Threads that no hung check can turn into a process that does not end.

The pools of the standard library are joined when the interpreter exits; daemon threads are not. So
whatever asyncio and asgiref would take a pool for on behalf of a check is given daemon threads.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures import wait as wait_for
from contextvars import Context
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import (
    AsyncSingleThreadContext,
    AsyncToSync,
    SyncToAsync,
    ThreadSensitiveContext,
    sync_to_async,
)

from dockerflow_django.checks.connection import close_all

P = ParamSpec("P")
T = TypeVar("T")


def start(function: Callable[[], None], *, name: str) -> None:
    """Run `function` in a daemon thread of its own, in an empty context: no request's id is in it.

    The event loops that it starts with `async_to_sync` are in daemon threads too. Raises
    `RuntimeError` if no thread can be started.
    """
    threading.Thread(
        target=Context().run, args=(_with_own_loops, function), name=name, daemon=True
    ).start()


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` on an event loop of its own in this thread, and close its connections.

    What it hands to `sync_to_async`, the ORM's async methods among it, runs in one daemon thread;
    what the loop hands to its default executor, `asyncio.to_thread` and look-ups of names, each in
    one of its own.
    """
    return asyncio.run(_with_own_threads(coroutine))


def _with_own_loops(function: Callable[[], None]) -> None:
    """Call `function` as inside asgiref's `AsyncSingleThreadContext`, with our executor."""
    key = AsyncSingleThreadContext()  # type: ignore[no-untyped-call]
    # asgiref's own name for a thread's loops, since 3.9; a test fails if it changes.
    AsyncToSync.context_to_thread_executor[key] = _DaemonThreads()
    AsyncToSync.async_single_thread_context.set(key)
    function()


async def _with_own_threads(coroutine: Coroutine[Any, Any, T]) -> T:
    asyncio.get_running_loop().set_default_executor(_DaemonThreads())
    context = ThreadSensitiveContext()
    executor = _DaemonExecutor()
    async with context:
        SyncToAsync.context_to_thread_executor[context] = executor
        try:
            return await coroutine
        finally:
            if executor.is_started:
                await sync_to_async(close_all)()


class _DaemonExecutor(Executor):
    """One daemon thread that starts with the first call and ends with the shutdown."""

    def __init__(self) -> None:
        self._calls: queue.SimpleQueue[Callable[[], None] | None] = queue.SimpleQueue()
        self.is_started = False

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue the call."""
        future: Future[T] = Future()
        if not self.is_started:
            start(self._work, name="dockerflow-check-orm")
            self.is_started = True
        self._calls.put(lambda: _settle(future, lambda: fn(*args, **kwargs)))
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the thread end after the calls that are queued; nobody waits for it."""
        if self.is_started:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()


class _DaemonThreads(ThreadPoolExecutor):
    """A daemon thread for each call; a pool by its type alone, which asyncio asks for."""

    def __init__(self) -> None:
        super().__init__(max_workers=1)
        self._futures: list[Future[Any]] = []

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Start a thread for the call, which closes its connections at the end."""
        future: Future[T] = Future()

        def call() -> T:
            try:
                return fn(*args, **kwargs)
            finally:
                close_all()

        start(lambda: _settle(future, call), name="dockerflow-check-call")
        self._futures.append(future)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Wait for the calls under way: a run ends no sooner than the last of its threads."""
        if wait:
            wait_for(self._futures)


def _settle(future: Future[T], call: Callable[[], T]) -> None:
    if not future.set_running_or_notify_cancel():
        return
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - it is the awaiting check's
        future.set_exception(error)
