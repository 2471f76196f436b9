"""The header ``traceparent``."""

import pytest

from dockerflow_django.trace import Trace, parse

TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
SPAN_ID = "b7ad6b7169203331"
VALID = f"00-{TRACE_ID}-{SPAN_ID}-01"


@pytest.mark.parametrize(
    "traceparent",
    [VALID, f"00-{TRACE_ID}-{SPAN_ID}-ff", f"01-{TRACE_ID}-{SPAN_ID}-01", f"cc{VALID[2:]}-more"],
)
def test_valid_header_names_trace_and_span(traceparent):
    """The first version has four parts, a later one may have more."""
    assert parse(traceparent) == Trace(TRACE_ID, SPAN_ID)


@pytest.mark.parametrize(
    "traceparent",
    [
        "",
        "garbage",
        f"ff-{TRACE_ID}-{SPAN_ID}-01",
        f"{VALID}-more",
        f"cc{VALID[2:]}more",
        f"00-{'0' * 32}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{'0' * 16}-01",
        f"00-{TRACE_ID.upper()}-{SPAN_ID}-01",
        f"00-{TRACE_ID[1:]}-{SPAN_ID}-01",
        f"00-{TRACE_ID}-{SPAN_ID}",
        f"00-{TRACE_ID}-{SPAN_ID}-0",
        f" {VALID}",
        f"{VALID}\n",
        f"{VALID},{VALID}",
        "00-" + "\N{ARABIC-INDIC DIGIT ZERO}" * 32 + f"-{SPAN_ID}-01",
    ],
)
def test_invalid_header_names_nothing(traceparent):
    """Whatever the specification does not allow counts as no header."""
    assert parse(traceparent) is None
