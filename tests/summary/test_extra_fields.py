"""`DOCKERFLOW_SUMMARY_EXTRA`: the project's own fields, which can do the record no harm."""

import functools
import logging
from dataclasses import dataclass

import pytest
from django.contrib.auth.models import Group
from django.http import HttpResponse, StreamingHttpResponse
from django.test import override_settings

from dockerflow_django.logging.content import FORMATTER_ERROR
from dockerflow_django.logging.sanitising import MAX_ITEMS
from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.logging.text import UNPRINTABLE
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary import extra_fields


def shop_of(request, response):
    """Name the shop; for the settings that give a path."""
    return {"shop": "corner", "length": len(response.content)}


@pytest.fixture
def record_with(make_request, summaries):
    """Return the record of a request with that setting."""

    def handle(extra, response=None):
        summaries.clear()
        with override_settings(DOCKERFLOW_SUMMARY_EXTRA=extra):
            answer = DockerflowMiddleware(lambda request: response or HttpResponse("four"))
            answered = answer(make_request(X_Request_ID="abc"))
            if answered.streaming:
                list(answered)
        (record,) = summaries
        return record

    return handle


def test_without_a_function_nothing_is_added(record_with):
    """The fields are ours."""
    assert not hasattr(record_with(None), "shop")


@pytest.mark.parametrize("extra", [f"{__name__}.shop_of", shop_of])
def test_fields_are_added(record_with, extra):
    """By a function, or by what names it."""
    record = record_with(extra)
    assert (record.shop, record.length, record.rid, record.code) == ("corner", 4, "abc", 200)
    assert not hasattr(record, FORMATTER_ERROR)


def test_a_function_is_given_request_and_response(record_with):
    """What they are at the end."""
    response = HttpResponse("four")
    record = record_with(
        lambda *given: {"asked": given[0].path, "own": given[1:] == (response,)}, response
    )
    assert (record.asked, record.own) == ("/plain/", True)


def test_ours_are_never_overwritten(record_with):
    """A dashboard can rely on them."""
    record = record_with(lambda request, response: {"rid": "evil", "code": 1, "path": "/", "t": -1})
    assert (record.rid, record.code, record.path) == ("abc", 200, "/plain/")
    assert record.t >= 0


@pytest.mark.parametrize("name", ["name", "msg", "args", "message", "asctime", "levelno", "lineno"])
def test_what_logging_needs_is_left_alone(record_with, name):
    """`logging` would refuse the whole record: such a field has a prefix."""
    record = record_with(lambda request, response: {name: "theirs"})
    assert record.__dict__[f"fields.{name}"] == "theirs"
    assert record.name == "request.summary"


def test_secrets_are_taken_out(record_with):
    """By their names and in texts, those of lists and dicts too, as in any other record."""
    record = record_with(
        lambda request, response: {
            "password": "hunter2",
            "notes": ["token=hunter2", "none", 3],
            "argv": ["--password", "hunter2"],
            "by": {"pin": "hunter2", "n": (1, 2)},
            "url": "https://ada:hunter2@shop/",
        }
    )
    assert record.password == REDACTED
    assert record.notes == f'["token={REDACTED}", "none", 3]'
    assert record.argv == ["--password", REDACTED]
    assert record.by == f'{{"pin": "{REDACTED}", "n": [1, 2]}}'
    assert record.url == f"https://{REDACTED}@shop/"


def test_no_value_is_none(record_with):
    """It stays, and is in no line."""
    assert record_with(lambda request, response: {"shop": None}).shop is None


def test_what_cannot_be_shown_is_told(record_with):
    """As in any other record; and a query set asks no database."""
    record = record_with(lambda *_: {"groups": Group.objects.all(), "ids": ["a"] * (MAX_ITEMS + 1)})
    assert record.groups == f"{UNPRINTABLE}QuerySet: DatabaseRefusedError>"
    assert len(record.ids) == MAX_ITEMS
    assert getattr(record, FORMATTER_ERROR) == ["groups: unprintable", "ids: 1 items cut"]


def test_a_name_may_be_anything(record_with):
    """It becomes text."""
    assert record_with(lambda request, response: {1: "one"}).__dict__["1"] == "one"


def test_a_stream_has_them_too(record_with):
    """The function gets the response as it is at the end."""
    record = record_with(
        lambda request, response: {"streaming": response.streaming},
        StreamingHttpResponse([b"one"]),
    )
    assert record.streaming is True


def fails(request, response):
    """Raise; by its path."""
    raise LookupError("no shop")


def failing():
    """Make a function that raises, which has not been told of before."""
    return functools.partial(fails)


@pytest.mark.parametrize(
    "extra",
    [
        failing(),
        lambda request, response: None,
        lambda request, response: ["shop"],
        lambda request: {},
        f"{__name__}.nothing",
        "no.such.module",
    ],
)
def test_what_goes_wrong_costs_its_own_fields(record_with, extra, caplog):
    """The record is written; why they are missing is told once, not at every request."""
    extra_fields._failed.clear()
    assert record_with(extra).code == 200
    (told,) = told_in(caplog)
    assert told.levelno == logging.ERROR
    assert told.exc_info
    assert record_with(extra).rid == "abc"
    assert len(told_in(caplog)) == 1


def told_in(caplog):
    """Return what was said of the setting."""
    return [record for record in caplog.records if "DOCKERFLOW_SUMMARY_EXTRA" in record.msg]


@dataclass
class Fields:
    """A callable of a project's own, without a hash."""

    shop: str

    def __call__(self, request, response):
        raise LookupError(self.shop)


def test_a_callable_without_a_hash_costs_no_more(record_with, caplog):
    """It is told once as any other, and the request is answered."""
    assert [record_with(Fields("corner")).code for _ in range(2)] == [200, 200]
    assert len(told_in(caplog)) == 1


def test_another_function_that_raises_is_told_again(record_with, caplog):
    """Once for each."""
    record_with(failing())
    record_with(failing())
    assert len(told_in(caplog)) == 2
