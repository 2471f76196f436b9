"""The background task that this code runs for; it has what a request has."""

import time
from contextvars import ContextVar

from dockerflow_django.context.ids import new_rid, valid_rid
from dockerflow_django.context.requests import (
    RequestState,
    current_rid,
    current_state,
    is_within,
    switch_to,
)
from dockerflow_django.context.trace import Trace


class TaskState:
    """What is known of one execution of a background task from its start to its summary.

    `request` holds its id, its trace and its counts. It is the state of the request that the task
    runs in, if there is one, and the task's own otherwise.
    """

    def __init__(self, name: str, task_id: str, request: RequestState, *, is_own: bool) -> None:
        self.name = name
        self.task_id = task_id
        self.request = request
        self.is_own = is_own
        self.started = time.perf_counter()
        self.queries_before = len(request.query_seconds)
        self.outer: tuple[TaskState | None, RequestState | None, str | None] = (None, None, None)

    @property
    def query_seconds(self) -> list[float]:
        """What each query of the task took."""
        return self.request.query_seconds[self.queries_before :]


_task: ContextVar[TaskState | None] = ContextVar("dockerflow_task_state", default=None)


def current_task() -> TaskState | None:
    """Return the task that this code runs for, None outside of one.

    A task that is never ended, since nobody says so, is over when its request is. The requests that
    are made in a task are part of it.
    """
    state = _task.get()
    while state is not None and not is_within(state.request):
        state = state.outer[0]
    return state


def find_task(task_id: str) -> TaskState | None:
    """Return the task of that id if it has begun here and has not been ended."""
    state = _task.get()
    while state is not None and state.task_id != task_id:
        state = state.outer[0]
    return state


def start_task(
    name: str, task_id: str, rid: object = None, trace: Trace | None = None, *, in_request: bool
) -> TaskState:
    """Start a task; if it runs `in_request`, it keeps the id and the trace of that request.

    `rid` is what came with the task. If it is not valid, the task gets an id of its own.
    """
    outer = current_task(), current_state(), current_rid()
    request = outer[1] if in_request else None
    is_own = request is None
    if request is None:
        request = RequestState(valid_rid(rid) or new_rid(), trace)
        request.is_running = True
        switch_to(request, request.rid)
    state = TaskState(name, task_id, request, is_own=is_own)
    state.outer = outer
    _task.set(state)
    return state


def end_task(state: TaskState) -> None:
    """End a task: from here on this thread belongs to whatever it belonged to before."""
    task, request, rid = state.outer
    _task.set(task)
    if state.is_own:
        state.request.is_running = False
        state.request.is_over = True
        switch_to(request, rid)
