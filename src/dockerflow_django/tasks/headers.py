"""What travels with a task or a message: the id of the request that caused it, and its trace."""

from collections.abc import Mapping, MutableMapping
from typing import Any

from dockerflow_django.context import Trace, current_rid, current_trace
from dockerflow_django.context.ids import new_rid, valid_rid
from dockerflow_django.context.trace import parse_traceparent

RID = "dockerflow_rid"
TRACEPARENT = "traceparent"


def add(headers: MutableMapping[str, Any] | None = None, **kwargs: Any) -> None:
    """Give a task that is about to be sent its headers; those that somebody has set are kept."""
    if headers is None:
        return
    headers.setdefault(RID, current_rid() or new_rid())
    if (trace := current_trace()) is not None:
        headers.setdefault(TRACEPARENT, trace.traceparent)


def validate(headers: MutableMapping[str, Any]) -> None:
    """Take out of a received task's headers what is not valid; give it an id if it has none."""
    headers[RID] = valid_rid(_find(headers, RID)) or new_rid()
    traceparent = _find(headers, TRACEPARENT)
    if parse_trace(traceparent) is not None:
        headers[TRACEPARENT] = traceparent
    else:
        headers.pop(TRACEPARENT, None)


def parse_trace(traceparent: object) -> Trace | None:
    """Return the trace that a header names, None if it names none."""
    return parse_traceparent(traceparent) if isinstance(traceparent, str) else None


def _find(headers: Mapping[str, Any], name: str) -> object:
    """Look in the headers, and in what the older message protocol keeps below ``headers``."""
    if name in headers:
        return headers[name]
    older = headers.get("headers")
    return older.get(name) if isinstance(older, Mapping) else None
