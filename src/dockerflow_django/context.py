"""The request that this code runs for: its id, its trace, and what is counted while it runs.

Context variables hold them, so the tasks and `sync_to_async` threads of a request have them too.
Nothing here imports Django: log filters use it while settings load.
"""

import os
import re
import string
import time
from contextvars import ContextVar, Token
from typing import Any, NamedTuple

from dockerflow_django._state import keeps, notice_fork

__all__ = ["Trace", "current_rid", "current_trace", "request_id_context"]

request_id_context: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The context variable that holds the id of the current request, or None.

Set it to give the request another id: the later log records, the summary and the response have that
id. python-dockerflow has the same variable.
"""

# https://www.w3.org/TR/trace-context/
_TRACEPARENT = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
_FIRST_VERSION = "00"
_INVALID_VERSION = "ff"

_RID_CHARACTERS = f"{string.ascii_letters}{string.digits}._-+/=:@"
_MAX_RID = 128
_RID_DIGITS = 32
_RIDS_AT_ONCE = 64
_rids: list[str] = []


class _Names(NamedTuple):
    trace_id: str
    span_id: str


class Trace(_Names):
    """The trace of a request and the span that sent it: a named tuple ``(trace_id, span_id)``.

    ``trace_id`` is 32 and ``span_id`` 16 lower-case hex digits, as in `W3C Trace Context
    <https://www.w3.org/TR/trace-context/>`_.
    """

    flags = "00"
    """Two hex digits, such as ``"01"`` for a trace that is sampled; not part of the tuple."""

    @property
    def traceparent(self) -> str:
        """The value of a ``traceparent`` header for this trace, in version ``00``."""
        return f"{_FIRST_VERSION}-{self.trace_id}-{self.span_id}-{self.flags}"


def parse_traceparent(traceparent: str) -> Trace | None:
    """Return what the header names, None if it is not valid (section 3.2 there).

    The first version ends after the flags; a later one may go on after a hyphen.
    """
    match = re.fullmatch(_TRACEPARENT, traceparent, re.DOTALL)
    if match is None:
        return None
    version, trace_id, span_id, flags, more = match.groups()
    if version == _INVALID_VERSION or (version == _FIRST_VERSION and more):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    trace = Trace(trace_id, span_id)
    trace.flags = flags
    return trace


class RequestState:
    """What is known of one request from its start to its summary.

    `started` is on the performance clock. `query_seconds` has one item a query: a list, because
    threads may append to it at the same time. `error` describes the exception that Django answered
    last. `is_health` is of our own endpoints, `is_expected` of a probe that fails only because the
    process starts or drains. `progress` is the token of a request that counts as in progress.

    `is_running` while the view runs or the stream is read. `is_over` since the summary is written:
    what still runs in this context then, a task that lives on, is not counted. `outer` is the
    request that this one was made in, with its id: a view may use the test client.
    """

    error = ""
    is_health = False
    is_expected = False
    is_over = False
    is_running = False
    progress: int | None = None
    outer: "tuple[RequestState, str | None] | None" = None

    def __init__(self, rid: str, trace: Trace | None = None) -> None:
        self.rid = rid
        self.trace = trace
        self.started = time.perf_counter()
        self.query_seconds: list[float] = []


_state: ContextVar[RequestState | None] = ContextVar("dockerflow_request_state", default=None)

_has_failed: ContextVar[bool] = ContextVar("dockerflow_has_failed", default=False)

Activation = tuple[Token[str | None], Token[RequestState | None]] | None


def current_rid() -> str | None:
    """Return the id of the current request or task, or None outside one.

    Send it with the calls to other services.
    """
    return request_id_context.get()


def current_trace() -> Trace | None:
    """Return the trace of the current request or task, or None.

    It is None outside a request, and if no valid ``traceparent`` header came with it.
    """
    state = _state.get()
    return None if state is None else state.trace


def current_state() -> RequestState | None:
    """Return the state of the current request, None outside of one."""
    return _state.get()


def valid_rid(wanted: object) -> str | None:
    """Return the id if it is one that may come from outside, else None."""
    if not isinstance(wanted, str) or not 0 < len(wanted) <= _MAX_RID:
        return None
    # Nothing is left if every character is one of these: a third of the time of an expression.
    return None if wanted.strip(_RID_CHARACTERS) else wanted


def new_rid() -> str:
    """Return 32 hex digits that no other request and no other process has.

    They are the operating system's, many at once. A forked child, whose parent would give out the
    same, asks it anew; so does one that a server forks without Python's hooks.
    """
    notice_fork()
    try:
        return _rids.pop()
    except IndexError:
        digits = os.urandom(_RIDS_AT_ONCE * _RID_DIGITS // 2).hex()
    rids = [digits[at : at + _RID_DIGITS] for at in range(0, len(digits), _RID_DIGITS)]
    _rids.extend(rids[1:])
    return rids[0]


@keeps("_rids")
def forget_rids() -> None:
    """Forget the ids that nobody has yet."""
    _rids.clear()


def start_request(wanted: str | None, trace: Trace | None) -> RequestState:
    """Start a request: take the id that the client sent if it is valid, else 32 hex digits."""
    state = RequestState(valid_rid(wanted) or new_rid(), trace)
    outer = _state.get()
    if outer is not None and outer.is_running:
        state.outer = (outer, request_id_context.get())
    request_id_context.set(state.rid)
    _state.set(state)
    return state


def note_failure() -> None:
    """Note that the request of this thread or task has ended with an exception, and a summary."""
    _has_failed.set(True)


def has_summary() -> bool:
    """Tell whether the request that a server is about to log has a summary already, or will."""
    return _state.get() is not None or _has_failed.get()


def end_request() -> None:
    """End the request: nothing that this thread or task does from now on belongs to it."""
    state = _state.get()
    if state is None:
        return
    outer, rid = state.outer or (None, None)
    if outer is not None and not outer.is_running:
        outer = rid = None
    _state.set(outer)
    request_id_context.set(rid)


def end_inner_request(state: RequestState) -> None:
    """Go back to the request that this one was made in, if there is one."""
    if state.outer is not None and _state.get() is state:
        end_request()


def on_request_signal(**kwargs: Any) -> None:
    """End the request at Django's signals, unless it is running.

    Then it is a request made in this one that has started or finished. At a start, what an earlier
    request has left behind is forgotten.
    """
    if _has_failed.get():
        _has_failed.set(False)
    state = _state.get()
    if state is not None and not state.is_running:
        end_request()


def adopt_rid(state: RequestState) -> None:
    """Take the id that the project has set meanwhile: it has the last word."""
    rid: object = request_id_context.get()
    if rid is not None and rid != state.rid and _state.get() is state:
        state.rid = str(rid)


def activate(state: RequestState) -> Activation:
    """Go on with a request if this context is of no request or another; `restore` undoes it."""
    if _state.get() is state:
        return None
    return request_id_context.set(state.rid), _state.set(state)


def restore(activation: Activation) -> None:
    """Undo what `activate` has done."""
    if activation is not None:
        state = _state.get()
        if state is not None:
            adopt_rid(state)
        rid_token, state_token = activation
        request_id_context.reset(rid_token)
        _state.reset(state_token)


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
    """Return the task that this code runs for, None outside of one."""
    return _task.get()


def start_task(
    name: str, task_id: str, rid: object = None, trace: Trace | None = None, *, in_request: bool
) -> TaskState:
    """Start a task; if it runs `in_request`, it keeps the id and the trace of that request.

    `rid` is what came with the task. If it is not valid, the task gets an id of its own.
    """
    outer = _task.get(), _state.get(), request_id_context.get()
    request = outer[1] if in_request else None
    is_own = request is None
    if request is None:
        request = RequestState(valid_rid(rid) or new_rid(), trace)
        request_id_context.set(request.rid)
        _state.set(request)
    state = TaskState(name, task_id, request, is_own=is_own)
    state.outer = outer
    _task.set(state)
    return state


def end_task(state: TaskState) -> None:
    """End a task: from here on this thread belongs to whatever it belonged to before."""
    task, request, rid = state.outer
    _task.set(task)
    if state.is_own:
        state.request.is_over = True
        _state.set(request)
        request_id_context.set(rid)
