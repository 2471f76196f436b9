"""A task in the process that runs it: its context, and the record of how it ended.

The record is written when the last of Celery's signals about the task comes. A child that is killed
sends none, nor does one whose task exits: there the worker's main process writes it (`requests`).
A greenlet that is killed does send them.
"""

import sys
import time
from typing import Any, NamedTuple, Protocol
from weakref import WeakValueDictionary

from celery import states
from celery.exceptions import Ignore, Reject, Retry

from dockerflow_django.context.tasks import TaskState, end_task, start_task
from dockerflow_django.tasks import headers, record
from dockerflow_django.tasks.celery import stages
from dockerflow_django.tasks.celery.queues import queue_of

_STATES = {
    states.SUCCESS: record.SUCCESS,
    states.FAILURE: record.FAILURE,
    states.RETRY: record.RETRY,
    states.REJECTED: record.REJECTED,
    states.IGNORED: record.IGNORED,
}


class _Killed(Protocol):
    """The request of a task that the worker kills, because the task is revoked or it stops cold."""

    verdict: str | None


# By the task's id, for as long as the task runs.
killed: WeakValueDictionary[str, _Killed] = WeakValueDictionary()


class _Execution(NamedTuple):
    task: TaskState
    # An eager task may run where another exception is being handled.
    handled_before: BaseException | None


def start(task: Any, task_id: str, **kwargs: Any) -> None:
    """Enter the context of a task that is about to run."""
    stages.count_queries()
    request = task.request
    state = start_task(
        task.name,
        task_id,
        getattr(request, headers.RID, None),
        headers.parse_trace(getattr(request, headers.TRACEPARENT, None)),
        in_request=bool(request.is_eager),
    )
    request.dockerflow_execution = _Execution(state, sys.exception())


def finish(task: Any, state: str | None, retval: Any = None, **kwargs: Any) -> None:
    """Write the record of a task that has ended, and leave its context."""
    request = task.request
    execution: _Execution | None = getattr(request, "dockerflow_execution", None)
    if execution is None:
        return
    try:
        outcome, error = _outcome_of(execution, state, retval)
        if outcome is not None and record.is_wanted(outcome):
            record.write(_fields_of(task.app, request, execution.task, outcome), error)
    finally:
        del request.dockerflow_execution
        end_task(execution.task)


def state_of(error: BaseException) -> str:
    """Return the state of a task that has raised the exception."""
    if isinstance(error, Reject):
        return record.REJECTED
    if isinstance(error, Retry):
        return record.RETRY
    return record.IGNORED if isinstance(error, Ignore) else record.FAILURE


def _outcome_of(
    execution: _Execution, state: str | None, retval: Any
) -> tuple[str | None, BaseException | None]:
    """Return the state and the exception, no state if the main process tells it.

    An exception that is on its way up wins over the state that Celery gives: storing the result, or
    a handler of the task's own, has failed after it.
    """
    error = sys.exception()
    if error is None or error is execution.handled_before:
        error = retval if isinstance(retval, BaseException) else None
        return _STATES.get(state or ""), error
    if not isinstance(error, Exception) and stages.is_pool_child():
        return None, error
    if _has_been_killed(error):
        return _state_of_killed(execution.task.task_id), error
    return state_of(error), error


def _has_been_killed(error: BaseException) -> bool:
    """Tell whether it ends a greenlet that somebody has killed."""
    greenlet = sys.modules.get("greenlet")
    return greenlet is not None and isinstance(error, greenlet.GreenletExit)


def _state_of_killed(task_id: str) -> str | None:
    """Return why the worker has killed it; whatever else has, the task is lost."""
    request = killed.get(task_id)
    return record.LOST if request is None else request.verdict


def _fields_of(app: Any, request: Any, state: TaskState, outcome: str) -> record.Fields:
    fields = record.fields_of(state, time.perf_counter() - state.started)
    fields["state"] = outcome
    add_route(fields, app, request.delivery_info)
    fields["retries"] = request.retries or 0
    return fields


def add_route(fields: record.Fields, app: Any, delivery_info: Any) -> None:
    """Add where the task came from; an eager one came from nowhere."""
    if not delivery_info or delivery_info.get("is_eager"):
        return
    if (queue := queue_of(app, delivery_info)) is not None:
        fields["queue"] = queue
    if routing_key := delivery_info.get("routing_key"):
        fields["routing_key"] = routing_key
