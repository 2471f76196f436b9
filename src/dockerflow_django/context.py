"""The request that this code runs for: its id, its trace, and what is counted while it runs.

Context variables hold them, so the tasks and `sync_to_async` threads of a request have them too.
Nothing here imports Django: log filters use it while settings load.
"""

import os
import random
import re
import time
from contextvars import ContextVar, Token
from typing import Any

from dockerflow_django.trace import Trace

request_id_context: ContextVar[str | None] = ContextVar("request_id", default=None)

_VALID = re.compile(r"[A-Za-z0-9._\-+/=:@]{1,128}")

# Our own, for a project may seed Python's; seeded anew in a worker that is forked.
_random = random.Random()  # noqa: S311 - an id is no secret
os.register_at_fork(after_in_child=_random.seed)


class RequestState:
    """What is known of one request from its begin to its summary.

    `started` is on the performance clock. `query_seconds` has one item a query: a list, because
    threads may append to it at the same time. `error` describes the exception that Django answered
    last. `is_health` is of our own endpoints, `is_news` of a probe that fails only because the
    process starts or drains. `progress` is the token of a request that counts as in progress.
    `is_over` since the summary is written: what still runs in this context then, a task that lives
    on, is not counted.
    """

    error = ""
    is_health = False
    is_news = False
    is_over = False
    progress: int | None = None

    def __init__(self, rid: str, trace: Trace | None = None) -> None:
        self.rid = rid
        self.trace = trace
        self.started = time.perf_counter()
        self.query_seconds: list[float] = []


_state: ContextVar[RequestState | None] = ContextVar("dockerflow_request_state", default=None)

Resumed = tuple[Token[str | None], Token[RequestState | None]] | None


def current_rid() -> str | None:
    """Return the id of the current request, None outside of one; send it with outgoing calls."""
    return request_id_context.get()


def current_trace() -> Trace | None:
    """Return the trace that the request's ``traceparent`` names, None without a valid one."""
    state = _state.get()
    return None if state is None else state.trace


def current_state() -> RequestState | None:
    """Return the state of the current request, None outside of one."""
    return _state.get()


def enter(wanted: str | None, trace: Trace | None) -> RequestState:
    """Begin a request: take the id that the client sent where it is valid, else 32 hex digits."""
    rid = wanted if wanted and _VALID.fullmatch(wanted) else f"{_random.getrandbits(128):032x}"
    state = RequestState(rid, trace)
    request_id_context.set(rid)
    _state.set(state)
    return state


def leave(**kwargs: Any) -> None:
    """End the request: nothing that this thread or task does from now on belongs to it."""
    if _state.get() is not None:
        request_id_context.set(None)
        _state.set(None)


def resume(state: RequestState) -> Resumed:
    """Go on with a request where this context is of no request or another; `pause` undoes it."""
    if _state.get() is state:
        return None
    return request_id_context.set(state.rid), _state.set(state)


def pause(resumed: Resumed) -> None:
    """Undo what `resume` has done."""
    if resumed is not None:
        rid_token, state_token = resumed
        request_id_context.reset(rid_token)
        _state.reset(state_token)
