"""RequestIdLogFilter gives records the id of their request."""

import logging

import pytest

from dockerflow_django.context import request_id_context
from dockerflow_django.context.requests import end_request, start_request
from dockerflow_django.context.tasks import end_task, start_task
from dockerflow_django.logging import RequestIdLogFilter
from dockerflow_django.logging.filters import (
    REQUEST,
    REQUEST_ATTRIBUTE,
    RID,
    SilencedLogFilter,
    SummarisedLogFilter,
)
from tests.logging.lines import make_record


@pytest.fixture
def rid():
    token = request_id_context.set("from-context")
    yield "from-context"
    request_id_context.reset(token)


class Request:
    """Anything with the attribute that the middleware sets."""

    def __init__(self, rid):
        setattr(self, REQUEST_ATTRIBUTE, rid)


class Broken:
    def __getattr__(self, name):
        raise RuntimeError(name)


def filtered(**extras):
    record = make_record("x", **extras)
    assert RequestIdLogFilter().filter(record) is True
    return record


def test_inside_a_request(rid):
    """A record has the id of the current request."""
    assert filtered().rid == rid


def test_outside_requests():
    """Outside requests there is no `rid`, not even None (D29)."""
    assert not hasattr(filtered(), RID)


def test_own_rid_stays(rid):
    """An id that a record already has is not overwritten; None is none."""
    assert filtered(rid="own").rid == "own"
    assert filtered(rid=None).rid == rid


def test_request_of_the_record(rid):
    """Django's records about a request have that request's id, whatever runs meanwhile."""
    assert filtered(request=Request("from-request")).rid == "from-request"


def test_request_that_was_given_another_id():
    """If the context is of that request, its id is the one that the project has given it."""
    state = start_request("of-the-client", None)
    try:
        assert filtered(request=Request(state.rid)).rid == state.rid
        request_id_context.set("of-the-project")
        assert filtered(request=Request(state.rid)).rid == "of-the-project"
        assert filtered(request=Request("of-another")).rid == "of-another"
    finally:
        end_request()


def test_inside_a_task():
    """A record has its name and its id; one that has such an attribute keeps it."""
    state = start_task("shop.pay", "abc", in_request=False)
    try:
        record, own = filtered(), filtered(task="mine", task_id="7")
    finally:
        end_task(state)
    assert (record.task, record.task_id) == ("shop.pay", "abc")
    assert (own.task, own.task_id) == ("mine", "7")


def test_inside_a_request_in_a_task():
    """A request that a task makes has an id of its own; its records are the task's as well."""
    state = start_task("shop.pay", "abc", "outer", in_request=False)
    start_request("inner", None)
    try:
        record = filtered()
    finally:
        end_request()
        end_task(state)
    assert (record.rid, record.task, record.task_id) == ("inner", "shop.pay", "abc")


def test_request_with_a_summary():
    """An access record of it does not pass, others do."""
    assert SummarisedLogFilter().filter(make_record()) is True
    start_request("abc", None)
    try:
        assert SummarisedLogFilter().filter(make_record()) is False
    finally:
        end_request()


@pytest.mark.parametrize("make", [str, object, Broken, lambda: Request(None), lambda: Request(5)])
def test_request_without_id(rid, make):
    """An extra called `request` may be anything."""
    assert filtered(**{REQUEST: make()}).rid == rid


def test_request_after_the_context_is_gone():
    """Django's records that are written after the request is over still have the id."""
    assert filtered(request=Request("from-request")).rid == "from-request"


def test_on_a_handler(logger, stream, rid, formatter):
    """As a filter of a handler it reaches the line."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    handler.addFilter(RequestIdLogFilter())
    logger.addHandler(handler)
    logger.info("x")
    assert f'"{RID}":"{rid}"' in stream.getvalue()


@pytest.mark.parametrize(
    ("handlers", "propagate", "passes"),
    [([], False, False), ([], True, True), ([logging.NullHandler()], False, True)],
)
def test_silenced_before(logger, handlers, propagate, passes):
    """A logger without handlers and propagation was silenced, and stays so."""
    logger.handlers[:] = handlers
    logger.propagate = propagate
    filter_ = SilencedLogFilter(logger.name)
    logger.propagate = True
    assert filter_.filter(make_record()) is passes
