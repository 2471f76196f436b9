"""The request that this code runs for: its id, its trace, and what is counted while it runs.

Context variables hold them, so the tasks and `sync_to_async` threads of a request have them too.
"""

import time
from contextvars import ContextVar, Token
from typing import Any

from dockerflow_django.context.ids import new_rid, valid_rid
from dockerflow_django.context.trace import Trace

# A project may set it: the later log records, the summary and the response have that id.
request_id_context: ContextVar[str | None] = ContextVar("request_id", default=None)


class RequestState:
    """What is known of one request from its start to its summary.

    `started` is on the performance clock. `query_seconds` has one item a query: a list, because
    threads may append to it at the same time. `error` describes the exception that Django answered
    last. `is_health` is of our own endpoints, `is_expected` of a probe that fails only because the
    process starts or drains. `progress` is the token of a request that counts as in progress.

    `is_running` while the view runs or the stream is read, and while the task or the handler of a
    message runs. `may_be_left` is of a task that may end without a word. `is_over` since the
    summary is written: what still runs in this context then, a task that lives on, is not counted.
    `outer` is the request that this one was made in, with its id: a view may use the test client.
    """

    error = ""
    is_health = False
    is_expected = False
    is_over = False
    is_running = False
    may_be_left = False
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


def is_within(state: RequestState) -> bool:
    """Tell whether the current request is that one, or was made in it."""
    current = _state.get()
    while current is not None and current is not state:
        current = None if current.outer is None else current.outer[0]
    return current is not None


def switch_to(state: RequestState | None, rid: str | None) -> None:
    """Go on with that request under that id, or without one."""
    _state.set(state)
    request_id_context.set(rid)


def start_request(wanted: str | None, trace: Trace | None) -> RequestState:
    """Start a request: take the id that the client sent if it is valid, else 32 hex digits."""
    state = RequestState(valid_rid(wanted) or new_rid(), trace)
    outer = _state.get()
    if outer is not None and outer.is_running:
        state.outer = (outer, request_id_context.get())
    switch_to(state, state.rid)
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
    switch_to(outer, rid)


def end_inner_request(state: RequestState) -> None:
    """Go back to the request that this one was made in, if there is one."""
    if state.outer is not None and _state.get() is state:
        end_request()


def on_request_started(**kwargs: Any) -> None:
    """Forget what an earlier request has left behind."""
    if _has_failed.get():
        _has_failed.set(False)
    on_request_finished()


def on_request_finished(**kwargs: Any) -> None:
    """End the request, unless it is running: then the signal is of a request made inside it."""
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
