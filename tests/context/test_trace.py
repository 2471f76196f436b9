"""`traceparent`: what the specification allows is taken, and nothing else."""

import pytest

from dockerflow_django.context import Trace
from dockerflow_django.context.trace import parse_traceparent

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


@pytest.mark.parametrize(
    "header",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f"00-{TRACE}-{SPAN}-ff",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-the-future-brings",
        f"01-{TRACE}-{SPAN}-01-",
        f"cc-{TRACE}-{SPAN}-01-two\nlines",
    ],
)
def test_a_valid_header_names_the_trace(header):
    """Any flags, and any version to come (W3C Trace Context, section 3.2)."""
    assert parse_traceparent(header) == Trace(TRACE, SPAN)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "00",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-0",
        f"00-{TRACE}-{SPAN}-01-more",
        f"00-{TRACE}-{SPAN}-01-",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE[1:]}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}g-01",
        f"0-{TRACE}-{SPAN}-01",
        f" 00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01\n",
        f"01-{TRACE}-{SPAN}-01more",
        f"00-{TRACE}-{SPAN}-\u0660\u0661",
        f"00_{TRACE}_{SPAN}_01",
        "0" * 20_000,
    ],
)
def test_another_header_names_none(header):
    """What is not valid starts a trace of nobody's."""
    assert parse_traceparent(header) is None
