"""Where this process is in its life: starting, ready, draining, not ready; and how busy it is.

None of this is an error, but for a process that is overloaded or stuck: a probe that asks is told,
and acts. Connections count for nothing here, only requests do.
"""

import asyncio
import itertools
import time
from collections.abc import Callable

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django._state import keeps
from dockerflow_django.conf import conf

__all__ = ["set_ready"]

# A probe comes every second at most; what asks more often is spared the system call.
MARKER_SECONDS = 0.2
TURN_SECONDS = 0.25


class Lifecycle:
    """The life of one process.

    `worker_threads` is how many requests the server lets run at once, None if that is not known.
    `has_supervisor` tells whether this is a worker that a supervisor speaks for.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Begin a new life, as a forked child does."""
        self.has_started = False
        self.draining_since: float | None = None
        self.is_ready = True
        self.reason = ""
        self.worker_threads: int | None = None
        self.has_supervisor = False
        self._requests: dict[int, float] = {}
        self._marker = (0.0, False)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._turned_at = 0.0

    @property
    def is_draining(self) -> bool:
        """Whether new requests should go elsewhere: by a signal here, or by a client's marker."""
        return self.draining_since is not None or self._is_marked()

    def drain(self) -> None:
        """Begin to drain; the first time counts."""
        if self.draining_since is None:
            self.draining_since = time.monotonic()

    @property
    def requests_in_progress(self) -> int:
        """How many requests are between their first and their last byte."""
        return len(self._requests)

    @property
    def oldest_request_seconds(self) -> float:
        """How long ago the oldest of them began, 0 if there is none."""
        return max(self._ages(), default=0.0)

    def notices(self, probe: str) -> list[CheckMessage]:
        """Return why the probe fails whatever its checks say."""
        found = {"liveness": self._of_liveness, "readiness": self._of_readiness}.get(probe)
        notices = [] if found is None else found()
        if not self.has_started and probe in {"readiness", "startup"}:
            sentence = "Starting: the startup checks have not all passed yet."
            notices.insert(0, checks.Info(sentence, id=health.INFO_STARTING))
        return notices

    def _of_readiness(self) -> list[CheckMessage]:
        notices: list[CheckMessage] = []
        if self.is_draining:
            sentence = "Draining: requests are served, new ones should go elsewhere."
            notices.append(checks.Info(sentence, id=health.INFO_DRAINING))
        if not self.is_ready:
            sentence = f"Set not ready: {self.reason or 'no reason given'}."
            notices.append(checks.Info(sentence, id=health.INFO_NOT_READY))
        limit, now = conf.DOCKERFLOW_MAX_REQUESTS_IN_PROGRESS, self.requests_in_progress
        if limit is not None and now > limit:
            sentence = (
                f"{now} requests are in progress, more than {limit}, "
                f"the oldest for {self.oldest_request_seconds:.1f} s."
            )
            notices.append(checks.Error(sentence, id=health.ERROR_TOO_MANY_REQUESTS_IN_PROGRESS))
        return notices

    def _of_liveness(self) -> list[CheckMessage]:
        limit = conf.DOCKERFLOW_LIVENESS_STALL_SECONDS
        if limit is None:
            return []
        sentences = []
        since_turn = time.monotonic() - self._turned_at
        if self._loop is not None and not self._loop.is_closed() and since_turn > limit:
            sentences.append(f"The event loop has not turned for {since_turn:.1f} s.")
        stuck = sum(age > limit for age in self._ages())
        if self.worker_threads is not None and stuck >= self.worker_threads:
            sentences.append(
                f"All {self.worker_threads} worker threads are on requests "
                f"that began more than {limit:g} s ago."
            )
        return [checks.Error(sentence, id=health.ERROR_STALLED) for sentence in sentences]

    def _ages(self) -> list[float]:
        now = time.monotonic()
        # `list` of a dict's values is one step for the other threads.
        return [now - began for began in list(self._requests.values())]

    def _is_marked(self) -> bool:
        path = conf.DOCKERFLOW_DRAIN_PATH
        if path is None:
            return False
        from dockerflow_django.client import drain_marker

        looked_at, found = self._marker
        if time.monotonic() - looked_at > MARKER_SECONDS:
            found = drain_marker.exists(path)
            self._marker = (time.monotonic(), found)
        return found


process = Lifecycle()
_tokens: Callable[[], int] = itertools.count().__next__


def request_started(now: Callable[[], float] = time.monotonic) -> int:
    """Count a request as in progress; give what this returns to `request_ended`, in any case."""
    token = _tokens()
    process._requests[token] = now()  # noqa: SLF001 - a method call more on every request
    return token


def request_ended(token: int) -> None:
    """Count it no longer, once its last byte has been handed to the server."""
    process._requests.pop(token, None)  # noqa: SLF001 - as above


def watch_loop() -> None:
    """See to it that liveness knows whether the running event loop still turns.

    Call it from a coroutine, as often as is convenient: the first call in a loop counts.
    """
    loop = asyncio.get_running_loop()
    if process._loop is not loop:  # noqa: SLF001 - as above
        process._loop = loop  # noqa: SLF001
        _turn(process, loop)


def set_ready(ready: bool, reason: str = "") -> None:
    """Make the readiness probe of this process fail, or let it pass again.

    It counts for this process alone: with several workers, each has to call it. Liveness does not
    change, and requests that still come are served.

    :param ready: False for not ready, True for ready again.
    :param reason: why, for the message ``dockerflow.health.I004``; a phrase without a full stop.
        It may be shown to anybody who sees the details.
    """
    process.is_ready = ready
    process.reason = reason


@keeps("process")
def reset() -> None:
    """Begin a new life in this process."""
    process.reset()


def _turn(of: Lifecycle, loop: asyncio.AbstractEventLoop) -> None:
    of._turned_at = time.monotonic()  # noqa: SLF001
    if of._loop is loop:  # noqa: SLF001 - no other loop or life has followed
        loop.call_later(TURN_SECONDS, _turn, of, loop)
