"""Threads that no hung check can turn into a process that does not end.

The pools of the standard library are joined when the interpreter exits; daemon threads are not.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Executor, Future
from contextvars import Context
from typing import Any, ParamSpec, TypeVar

from asgiref.sync import SyncToAsync, ThreadSensitiveContext, sync_to_async

from dockerflow_django.checks.connection import close_all

P = ParamSpec("P")
T = TypeVar("T")


def start(function: Callable[[], None], *, name: str) -> None:
    """Run `function` in a daemon thread of its own, in an empty context: no request's id is in it.

    Raises `RuntimeError` where no thread can be started.
    """
    threading.Thread(target=Context().run, args=(function,), name=name, daemon=True).start()


def run_coroutine(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run `coroutine` on an event loop of its own in this thread, and close its connections.

    What it hands to `sync_to_async`, the ORM's async methods among it, runs in one daemon thread.
    """
    return asyncio.run(_with_own_thread(coroutine))


async def _with_own_thread(coroutine: Coroutine[Any, Any, T]) -> T:
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

        def call() -> None:
            if not future.set_running_or_notify_cancel():
                return
            try:
                future.set_result(fn(*args, **kwargs))
            except BaseException as error:  # noqa: BLE001 - it is the awaiting check's
                future.set_exception(error)

        self._calls.put(call)
        if not self.is_started:
            self.is_started = True
            start(self._work, name="dockerflow-check-orm")
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Let the thread end after the calls that are queued; nobody waits for it."""
        if self.is_started:
            self._calls.put(None)

    def _work(self) -> None:
        while (call := self._calls.get()) is not None:
            call()
