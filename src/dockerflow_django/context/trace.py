"""The trace that a request belongs to: W3C's ``traceparent``."""

import re
from typing import NamedTuple

# https://www.w3.org/TR/trace-context/
_TRACEPARENT = r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?"
_FIRST_VERSION = "00"
_INVALID_VERSION = "ff"


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
