"""A task in the worker's main process: it tells what the child that ran the task cannot.

A child writes the record of a task that has ended. The main process writes it for a task that was
revoked or killed or ran into its hard time limit; and it counts every task, so that the metrics
need no folder.

Celery sends no signal for a lost child whose task is sent to the queue again, and two for a hard
time limit. A subclass of its ``Request`` sees each case, and the first call about a task counts.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, wraps
from threading import Timer
from traceback import walk_tb
from typing import Any

from celery.exceptions import Terminated, TimeLimitExceeded, WorkerLostError
from celery.utils.imports import symbol_by_name
from celery.worker.request import ExceptionWithTraceback

from dockerflow_django.context.tasks import end_task, start_task
from dockerflow_django.tasks import headers, record
from dockerflow_django.tasks.celery.execution import add_route, killed, state_of

# From the kill of a task: a worker that stops cold then reads the results that have come meanwhile.
# After a second signal, or without its broker, it reads later: what had ended is LOST as well.
RESULT_SECONDS = 2.0

# What stands below the mixin: Celery's ``Request``, which has no types, or one of the project's.
_Request: Any = object

Count = Callable[[str, str, float | None], None]

# What ends the process of a child.
_DEADLY = (WorkerLostError, SystemExit, KeyboardInterrupt)


def observe_tasks(app: Any, count: Count, *, in_greenlets: bool) -> None:
    """Have the requests of every task of the app tell their end; `count` takes the metrics.

    Each task keeps the class that the project has given it, and gets a subclass. `in_greenlets`
    tells that a task which is killed while it runs can still write its record.
    """
    for task in app.tasks.values():
        task.Request = _observed(symbol_by_name(task.Request), count, in_greenlets)


@cache
def _observed(base: type, count: Count, in_greenlets: bool) -> type:
    if issubclass(base, ObservedRequest):
        return base
    attributes = {"count": staticmethod(count), "in_greenlets": in_greenlets}
    return type(f"Observed{base.__name__}", (ObservedRequest, base), attributes)


class ObservedRequest(_Request):  # type: ignore[misc]
    """A mixin for Celery's ``Request``: each task ends once."""

    count: Count
    in_greenlets: bool
    # What the first call about its end leaves.
    ending: object | None = None
    # The state of a task that the worker kills, from before it does.
    verdict: str | None = None
    # Ends a task that the worker itself has killed.
    lost_timer: Timer | None = None
    # On the monotonic clock; Celery's own `time_start` is a date, which somebody may set.
    accepted_at: float | None = None

    # Of Celery's class.
    id: str
    app: Any
    task: Any
    time_start: float | None
    request_dict: dict[str, Any]
    delivery_info: dict[str, Any]

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Wrap the `on_success` that Celery writes into a subclass of its own, for each task.

        See ``create_request_cls`` in ``celery.worker.request``: it does not call that of its base.
        """
        super().__init_subclass__(**kwargs)
        if "on_success" in vars(cls):
            cls.on_success = _observing(cls.on_success)  # type: ignore[method-assign]

    def __init__(self, message: Any, **options: Any) -> None:
        super().__init__(message, **options)
        headers.validate(self.request_dict)

    def on_accepted(self, pid: int, time_accepted: float) -> Any:
        """Note when a child began the task."""
        self.accepted_at = time_accepted
        return super().on_accepted(pid, time_accepted)

    def on_success(self, failed__retval__runtime: Any, **kwargs: Any) -> Any:
        """Note how the task has ended, for a project whose strategy uses this class itself."""
        self.note_result(failed__retval__runtime)
        return super().on_success(failed__retval__runtime, **kwargs)

    def on_failure(
        self, exc_info: Any, send_failed_event: bool = True, return_ok: bool = False
    ) -> Any:
        """Note what the child has raised (`return_ok`), or how it was lost."""
        error = _exception_of(exc_info)
        verdict = self.verdict if isinstance(error, Terminated) else None
        state = verdict or _state_of(error)
        # What the child has returned it has also written.
        is_written = return_ok or _has_run(exc_info, error)
        self.end(state, None if is_written else error, is_written=is_written)
        with self._with_its_id():
            return super().on_failure(
                exc_info, send_failed_event=send_failed_event, return_ok=return_ok
            )

    def on_timeout(self, soft: bool, timeout: float) -> Any:
        """Note that the hard time limit has been reached; the soft one the child raises itself."""
        if not soft:
            self.end(record.FAILURE, TimeLimitExceeded(timeout))
        with self._with_its_id():
            return super().on_timeout(soft, timeout)

    def revoked(self) -> Any:
        """Note that the task is revoked, or has expired, before it ran."""
        is_revoked = super().revoked()
        if is_revoked:
            self.end(record.REVOKED)
        return is_revoked

    def terminate(self, pool: Any, signal: Any = None) -> Any:
        """Note that the task is revoked while it runs; a pool of threads cannot do that."""
        if not self.time_start:
            return super().terminate(pool, signal)
        with self._killed_as(record.REVOKED):
            return super().terminate(pool, signal)

    def cancel(self, pool: Any, signal: Any = None, **kwargs: Any) -> Any:
        """Note that the worker itself kills the task: it stops cold, or has lost its broker."""
        if not self.time_start:
            return super().cancel(pool, signal, **kwargs)
        with self._killed_as(record.LOST):
            return super().cancel(pool, signal, **kwargs)

    @contextmanager
    def _killed_as(self, verdict: str) -> Iterator[None]:
        """Note the verdict first: the end may come while Celery still speaks to the backend."""
        self.verdict = self.verdict or verdict
        killed[self.id] = self
        try:
            yield
        except NotImplementedError:  # the pool cannot kill
            self.verdict = None
            raise
        finally:
            is_told_later = self.verdict == record.LOST and not self.in_greenlets
            if is_told_later and self.ending is None:
                self._lose_later()
            elif self.verdict is not None:
                self.end(self.verdict)

    def _lose_later(self) -> None:
        """End the task as lost, unless its result is on its way from a child.

        Nobody reads these during the pause of a soft shutdown. A child may resist the signal, so
        its end is not waited for.
        """
        self.lost_timer = Timer(RESULT_SECONDS, self.end, (record.LOST,))
        try:
            self.lost_timer.start()
        except RuntimeError:  # no more threads; whoever handles a signal is to go on
            self.end(record.LOST)

    def end(
        self, state: str, error: BaseException | None = None, *, is_written: bool = False
    ) -> None:
        """Count the task, and write its record unless the child has; the first call counts."""
        ending = object()
        # Atomic without a lock, which a signal handler could wait for in vain.
        if self.__dict__.setdefault("ending", ending) is not ending:
            return
        if self.lost_timer is not None:
            self.lost_timer.cancel()
        began = self.accepted_at
        seconds = None if began is None else time.monotonic() - began
        self.count(self.task.name, state, seconds)
        # A greenlet that has begun the task writes the record whatever ends it.
        is_written |= self.in_greenlets and began is not None
        if not is_written and record.is_wanted(state):
            record.write(self._record_fields(state, seconds or 0.0), error)

    def note_result(self, failed__retval__runtime: Any) -> None:
        """Note that the task has succeeded; one that has failed goes on to `on_failure`."""
        if not isinstance(failed__retval__runtime, tuple):
            # The task has raised SystemExit in a pool of threads, which has then no result.
            self.end(record.FAILURE, is_written=True)
        elif failed__retval__runtime[0] is False:
            # A greenlet that somebody has killed: Celery's tracer says 0 of what has not failed.
            self.end(record.LOST, is_written=True)
        # Without a runtime nothing has run: the task had succeeded before, and was sent again.
        elif not failed__retval__runtime[0] and failed__retval__runtime[2] is not None:
            self.end(record.SUCCESS, is_written=True)

    @contextmanager
    def _with_its_id(self) -> Iterator[None]:
        """Give what Celery logs and sends about the task here, error callbacks too, its id."""
        trace = headers.parse_trace(self.request_dict.get(headers.TRACEPARENT))
        rid = self.request_dict[headers.RID]
        state = start_task(self.task.name, self.id, rid, trace, in_request=False)
        try:
            yield
        finally:
            end_task(state)

    def _record_fields(self, state: str, seconds: float) -> record.Fields:
        known = self.request_dict
        fields: record.Fields = {
            "retries": known.get("retries") or 0,
            "rid": known[headers.RID],
            "state": state,
            "t": record.milliseconds(seconds),
            "task": self.task.name,
            "task_id": self.id,
        }
        if (trace := headers.parse_trace(known.get(headers.TRACEPARENT))) is not None:
            fields["trace_id"], fields["span_id"] = trace
        add_route(fields, self.app, self.delivery_info)
        return fields


def _observing(on_success: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(on_success)
    def observed(self: ObservedRequest, failed__retval__runtime: Any, **kwargs: Any) -> Any:
        self.note_result(failed__retval__runtime)
        return on_success(self, failed__retval__runtime, **kwargs)

    return observed


def _exception_of(exc_info: Any) -> BaseException:
    error = exc_info.exception
    found: BaseException = error.exc if isinstance(error, ExceptionWithTraceback) else error
    return found


def _has_run(exc_info: Any, error: BaseException) -> bool:
    """Tell whether the child has run the task, and so has written its record.

    If a result backend or a handler of the task's own fails again in Celery's tracer, its error
    comes without a result, as that of arguments does that cannot be decoded.
    """
    frames = (frame for frame, _ in walk_tb(exc_info.tb))
    is_traced = any(frame.f_code.co_name == "trace_task" for frame in frames)
    return is_traced and isinstance(error, Exception)


def _state_of(error: BaseException) -> str:
    if isinstance(error, Terminated):
        return record.REVOKED
    return record.LOST if isinstance(error, _DEADLY) else state_of(error)
