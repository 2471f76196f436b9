"""What a summary says of an exception: short, on one line, without secrets."""

import gc
import time
import weakref
from contextlib import suppress

import pytest
from django.core.signals import got_request_exception

from dockerflow_django.context.requests import end_request, start_request
from dockerflow_django.logging import description
from dockerflow_django.logging.description import MAX_LENGTH, describe


class MuteError(Exception):
    """An exception whose text cannot be had."""

    def __str__(self):
        raise LookupError("no text")


class FatalError(Exception):
    """An exception whose text would end the process."""

    def __str__(self):
        raise SystemExit


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ValueError("odd"), "ValueError: odd"),
        (ValueError(), "ValueError"),
        (ValueError(""), "ValueError"),
        (ValueError("  \n \r\n"), "ValueError"),
        (ValueError("\n  first\nsecond"), "ValueError: first"),
        (ValueError("first\r\nsecond"), "ValueError: first"),
        (ValueError("first\u2028second"), "ValueError: first"),
        (KeyError("basket"), "KeyError: 'basket'"),
        (MuteError(), "MuteError"),
        (FatalError(), "FatalError"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (ExceptionGroup("two", [ValueError("a"), ValueError("b")]), "two"),
    ],
)
def test_a_class_and_a_line(error, expected):
    """That is enough to know it by; the traceback is in Django's own record."""
    described = describe(error)
    assert expected in described
    assert described.startswith(type(error).__name__)
    assert len(described.splitlines()) == 1


def test_two_exceptions_are_told_apart_exactly():
    """Nothing is added to what they say."""
    assert describe(ValueError("a: b")) == "ValueError: a: b"


@pytest.mark.parametrize("length", [MAX_LENGTH, 10 * MAX_LENGTH, 2_000_000])
def test_a_long_text_is_cut(length):
    """No record is longer for it, and none takes long to make."""
    began = time.thread_time()
    assert len(describe(ValueError("a" * length))) == MAX_LENGTH
    assert time.thread_time() - began < 1


def test_no_more_is_scrubbed_than_matters(monkeypatch):
    """A driver may quote megabytes of SQL."""
    scrubbed = []
    monkeypatch.setattr(description, "scrub", lambda text: scrubbed.append(len(text)) or text)
    describe(ValueError("a" * 2_000_000))
    assert MAX_LENGTH < scrubbed[0] <= 10 * MAX_LENGTH


@pytest.mark.parametrize(
    "text",
    [
        "could not connect to postgres://shop:hunter2@db/shop",
        "password=hunter2 host=db",
        "{'token': 'hunter2'}",
        "Authorization: Basic hunter2",
        f"{'a' * (MAX_LENGTH - 40)} postgres://shop:hunter2@db/shop",
        f"{'a' * (MAX_LENGTH - 40)} postgres://shop:{'hunter2' * 9}@db/shop",
        f"{'a' * (MAX_LENGTH - 30)} password='hunter2 and hunter2 and more'",
    ],
)
def test_secrets_are_taken_out(text):
    """Before the text is cut, so that half a secret is none."""
    described = describe(ValueError(text))
    assert "hunter" not in described
    assert len(described) <= MAX_LENGTH


class OddError(Exception):
    """An exception that can be referred to weakly."""


def handle(error):
    """Send the signal as Django does, while the exception is handled."""
    with suppress(OddError):
        try:
            raise error
        finally:
            got_request_exception.send(None, request=None)
    return error


def test_what_django_answers_is_remembered():
    """The signal comes while the exception is handled; its text is kept, it is not."""
    state = start_request(None, None)
    reference = weakref.ref(handle(OddError("too little")))
    gc.collect()
    assert (state.error, reference()) == ("OddError: too little", None)


def test_outside_of_a_request_nothing_is_remembered():
    """Other code may send the signal too."""
    end_request()
    assert handle(OddError("too little")).args == ("too little",)
    assert start_request(None, None).error == ""


def test_without_an_exception_nothing_is_remembered():
    """A test, or a library, may send the signal for an exception that is over."""
    state = start_request(None, None)
    got_request_exception.send(None, request=None)
    assert state.error == ""


def test_the_record_names_the_exception(ask, summaries):
    """With its first line, in both worlds; neither secret is there."""
    ask("/broken/")
    assert summaries[0].getMessage() == (
        "RuntimeError: cannot reach db://[redacted]@db/ with password=[redacted]"
    )


@pytest.mark.parametrize("url", ["/plain/", "/denied/", "/missing-raised/", "/suspicious/"])
def test_below_500_there_is_no_message(ask, summaries, url):
    """All is in the fields."""
    ask(url)
    assert summaries[0].getMessage() == ""


def test_a_failure_that_is_returned_has_no_exception(ask, summaries):
    """It has no message, for nothing was raised."""
    ask("/unavailable/")
    assert summaries[0].getMessage() == ""


def test_an_exception_is_its_own_requests(ask, summaries):
    """The next request's record does not have it."""
    ask("/broken/")
    ask("/unavailable/")
    assert summaries[1].getMessage() == ""
