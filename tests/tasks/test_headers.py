"""What travels with a task is an id and a trace: valid, and nobody else's."""

import pytest

from dockerflow_django.context.requests import start_request
from dockerflow_django.context.trace import parse_traceparent
from dockerflow_django.tasks import headers

TRACEPARENT = f"00-{'1' * 32}-{'2' * 16}-01"
OTHER = f"00-{'3' * 32}-{'4' * 16}-00"


@pytest.fixture
def request_state():
    return start_request("abc", parse_traceparent(TRACEPARENT))


def added(**given):
    headers.add(headers=given)
    return given


def validated(**given):
    headers.validate(given)
    return given


def test_in_a_request(request_state):
    """A task that is sent in a request has its id and its trace, and nothing else."""
    assert added() == {"dockerflow_rid": "abc", "traceparent": TRACEPARENT}


def test_what_somebody_has_set_is_kept(request_state):
    """OpenTelemetry, or the project itself, has the last word."""
    given = {"dockerflow_rid": "own", "traceparent": OTHER, "mine": 1}
    assert added(**given) == given


def test_elsewhere():
    """What beat or a shell sends has an id of its own, and no trace."""
    one, other = added(), added()
    assert set(one) == {"dockerflow_rid"}
    assert len(one["dockerflow_rid"]) == 32
    assert one != other


def test_without_headers():
    """A message that has none is left alone."""
    headers.add(headers=None)


def test_valid_ones_are_taken():
    """What came with a task is kept if it is valid."""
    given = {"dockerflow_rid": "abc", "traceparent": TRACEPARENT, "id": "1"}
    assert validated(**given) == given


@pytest.mark.parametrize("rid", [None, "", "a\nb", "a b", "x" * 129, 5, ["abc"], {"a": 1}, b"abc"])
def test_an_invalid_id_is_replaced(rid):
    """Whatever a foreign sender has put there, the task has an id that can do no harm."""
    assert len(validated(dockerflow_rid=rid)["dockerflow_rid"]) == 32


@pytest.mark.parametrize("traceparent", [None, "", "00-0-0-00", TRACEPARENT + "-more", 5, [1]])
def test_an_invalid_trace_is_dropped(traceparent):
    """A trace that is not valid goes no further, not with a retry either."""
    assert set(validated(traceparent=traceparent)) == {"dockerflow_rid"}


def test_the_older_protocol():
    """The first version of the messages keeps them below `headers`."""
    found = validated(headers={"dockerflow_rid": "abc", "traceparent": TRACEPARENT})
    assert (found["dockerflow_rid"], found["traceparent"]) == ("abc", TRACEPARENT)
