"""The probes of a loop of the project's own: a queue's worker, a ``while True`` in a command."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import from_settings
from dockerflow_django.conf import casts, conf
from dockerflow_django.lifecycle import process
from dockerflow_django.tasks.probes import ProbesError, WorkerProbes
from dockerflow_django.tasks.settings import check_settings
from dockerflow_django.webhooks.process import own_sender


class LoopProbes:
    """The object that `serve_probes` gives; with it the loop tells that it goes on.

    .. versionadded:: 0.1
    """

    def __init__(self, stall_seconds: float, ready: Sequence[Check]) -> None:
        self._stall_seconds = stall_seconds
        self._turned_at = time.monotonic()
        self._probes = WorkerProbes("loop", liveness=self._liveness, readiness=list, checks=ready)
        self._is_stopping = False
        self._is_watched = False

    def alive(self) -> None:
        """Tell that the loop goes on. Call it at each turn; any thread may."""
        self._turned_at = time.monotonic()

    @property
    def is_stopping(self) -> bool:
        """Whether SIGTERM has come.

        A loop that looks at this attribute has to end by itself. A loop that never does is ended by
        the signal, unless the process has ignored it before.
        """
        self._is_watched = True
        return self._is_stopping

    def _liveness(self) -> list[CheckMessage]:
        stall = time.monotonic() - self._turned_at
        if stall <= self._stall_seconds:
            return []
        limit = f"allowed are {self._stall_seconds:g} s"
        sentence = f"The loop has not turned for {stall:.1f} s, {limit}."
        return [checks.Error(sentence, id=health.ERROR_STALLED)]

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Be not ready at once, and leave the rest to the loop, or to whoever handled it before."""
        is_second, self._is_stopping = self._is_stopping, True
        process.drain()
        self._probes.refresh()
        if callable(self._before):
            self._before(number, frame)
        elif self._before != signal.SIG_IGN and (is_second or not self._is_watched):
            raise SystemExit(128 + number)

    _before: Callable[[int, FrameType | None], Any] | int | None = None

    def _start(self) -> None:
        self._probes.start()
        if threading.current_thread() is threading.main_thread():
            self._before = signal.signal(signal.SIGTERM, self._on_signal)

    def _stop(self) -> None:
        if self._before is not None:
            signal.signal(signal.SIGTERM, self._before)
        self._probes.stop()


@contextmanager
def serve_probes(
    stall_seconds: float | None = None, ready: Sequence[Any] = ()
) -> Iterator[LoopProbes]:
    """Answer the probes of this process while the ``with`` block runs.

    They are answered on ``DOCKERFLOW_PROBE_PORT``, and written to ``DOCKERFLOW_PROBE_FILE``, where
    these are set. In the main thread SIGTERM makes the process not ready at once; a handler that
    was installed before is still called.

    :param stall_seconds: liveness fails if `LoopProbes.alive` has not been called for this long;
        ``DOCKERFLOW_WORKER_STALL_SECONDS`` if not given.
    :param ready: the checks of readiness, a list written as in ``DOCKERFLOW_CHECKS``.
    :raises ValueError: for a wrong argument.
    :raises dockerflow_django.tasks.ProbesError: if one of the app's system checks finds an error,
        if the port is taken, or if the file cannot be written or belongs to another process.

    .. versionadded:: 0.1
    """
    if stall_seconds is None:
        stall_seconds = conf.DOCKERFLOW_WORKER_STALL_SECONDS
    elif not stall_seconds > 0:
        raise ValueError(f"stall_seconds is {stall_seconds!r}, but must be above 0")
    try:
        entries = casts.entries(ready)
    except ValueError as error:
        raise ValueError(f"ready must be {error}") from None
    try:
        check_settings()
        probes = LoopProbes(stall_seconds, list(from_settings(entries, "ready")))
        probes._start()  # noqa: SLF001 - the block is the way to start it
    except ProbesError as error:
        if not process.has_started:
            own_sender.fail_startup("loop", str(error))
        raise
    try:
        yield probes
    finally:
        probes._stop()  # noqa: SLF001
