"""The trace context that a client sends: ``traceparent`` (https://www.w3.org/TR/trace-context/)."""

import re
from typing import NamedTuple

_TRACEPARENT = re.compile(
    r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}(-.*)?", re.DOTALL
)
_FIRST_VERSION = "00"
_INVALID_VERSION = "ff"


class Trace(NamedTuple):
    """The trace that a request belongs to, and the span that sent it, in lower-case hex digits."""

    trace_id: str
    span_id: str


def parse(traceparent: str) -> Trace | None:
    """Return what the header names, None where it is not valid (section 3.2 there).

    The first version ends after the flags; a later one may go on after a hyphen.
    """
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None:
        return None
    version, trace_id, span_id, more = match.groups()
    if version == _INVALID_VERSION or (version == _FIRST_VERSION and more):
        return None
    if not trace_id.strip("0") or not span_id.strip("0"):
        return None
    return Trace(trace_id, span_id)
