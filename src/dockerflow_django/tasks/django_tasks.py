"""Django's own Tasks (6.0 and later): one record per execution, by the signals that Django sends.

A backend that runs a task in the request's process keeps the id of that request. Any other starts
it without one, since a backend has nowhere to put it: there the task gets an id of its own.

Django sends no signal for a task that KeyboardInterrupt ends, or that a receiver of `task_started`
does not let begin. It leaves no record, and is over with its request or with the task that it was
enqueued in; outside of both, when a server's next request starts in the same thread.
"""

import sys
import time
from typing import Any

from dockerflow_django.context.tasks import TaskState, end_task, find_task, start_task
from dockerflow_django.summary import queries
from dockerflow_django.tasks import record

_SUCCESSFUL = "SUCCESSFUL"


def start(task_result: Any, **kwargs: Any) -> None:
    """Enter the context of a task that is about to run."""
    queries.count_from_now_on()
    state = start_task(task_result.task.module_path, task_result.id, in_request=True)
    if state.is_own:
        state.request.may_be_left = True


def finish(task_result: Any, **kwargs: Any) -> None:
    """Write the record of a task that has ended, and leave its context."""
    state = find_task(task_result.id)
    if state is None:
        return  # it was not started here
    try:
        outcome = record.SUCCESS if task_result.status == _SUCCESSFUL else record.FAILURE
        if record.is_wanted(outcome):
            record.write(_fields_of(task_result, state, outcome), sys.exception())
    finally:
        end_task(state)


def _fields_of(task_result: Any, state: TaskState, outcome: str) -> record.Fields:
    fields = record.fields_of(state, time.perf_counter() - state.started)
    fields["state"] = outcome
    fields["queue"] = task_result.task.queue_name
    fields["retries"] = max(task_result.attempts - 1, 0)
    return fields
