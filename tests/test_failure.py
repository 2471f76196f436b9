"""What a summary says of an exception."""

import gc
import logging
import weakref
from contextlib import suppress

import pytest
from django.core.signals import got_request_exception
from django.http import HttpResponse

from dockerflow_django.context import current_state, enter, leave
from dockerflow_django.failure import MAX_LENGTH, describe
from tests.summaries import WORLDS, ask, asked, recorded, serving


class UnprintableError(Exception):
    def __str__(self):
        raise LookupError


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (RuntimeError("broken"), "RuntimeError: broken"),
        (RuntimeError("first\nsecond"), "RuntimeError: first"),
        (RuntimeError("\r\n first\u2028second"), "RuntimeError: first"),
        (RuntimeError(), "RuntimeError"),
        (RuntimeError(" \n "), "RuntimeError"),
        (KeyError("name"), "KeyError: 'name'"),
        (UnprintableError(), "UnprintableError"),
    ],
)
def test_class_and_first_line(error, text):
    """One line says what went wrong, whatever the exception's text is like."""
    assert describe(error) == text


@pytest.mark.parametrize(
    "text",
    [
        "could not connect to postgres://shop:planted@db/shop",
        "refused: password=planted",
        f"{'x' * (MAX_LENGTH - 20)} token=planted",
    ],
)
def test_secrets_are_scrubbed(text):
    """Also one that the cut would have made unrecognisable."""
    assert "plant" not in describe(RuntimeError(text))


def test_text_is_cut():
    """A line of a log is no place for a document."""
    assert len(describe(RuntimeError("x" * 100_000))) == MAX_LENGTH


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


def test_message_of_a_view_that_raises(world):
    """The message is the exception's, the status is a server error's."""

    def view(request):
        raise RuntimeError("broken\nsecond line")

    summary = asked(world, view)
    assert (summary.getMessage(), summary.errno) == ("RuntimeError: broken", 500)
    assert summary.exc_info is None


def test_message_is_empty_without_an_exception(world):
    """A returned failure has nothing to say but its status."""
    assert asked(world, lambda request: HttpResponse(status=503)).getMessage() == ""


def tell_of(error):
    """Raise the error, and send Django's signal of it."""
    with suppress(type(error)):
        try:
            raise error
        finally:
            got_request_exception.send(None, request=None)


def test_exception_that_was_answered_well_is_not_mentioned(world):
    """Below 500 the message is empty, whatever happened on the way."""

    def view(request):
        tell_of(RuntimeError("handled"))
        return HttpResponse("plain")

    assert asked(world, view).getMessage() == ""


def test_the_last_exception_is_the_message(world):
    """What was answered last is what the client got."""

    def view(request):
        raise RuntimeError("first")

    with serving(view, middleware=["tests.around.RaisingAfter"]), recorded() as records:
        ask(world)
    assert records.summary.getMessage() == "RuntimeError: raised after the view"


def test_no_frame_is_kept_alive(monkeypatch):
    """The exception and all that its frames hold are free when Django has answered."""
    # Django's own record has the exception, and the test's handlers have that record.
    monkeypatch.setattr(logging.getLogger("django.request"), "disabled", True)

    class Large:
        pass

    held = []

    def view(request):
        large = Large()
        held.append(weakref.ref(large))
        raise RuntimeError("broken")

    gc.disable()
    try:
        asked("sync", view)
        gc.collect()
        assert held[0]() is None
    finally:
        gc.enable()


def test_exception_outside_of_a_request_is_not_remembered():
    """The signal may be sent by anybody."""
    got_request_exception.send(None, request=None)
    tell_of(RuntimeError("nobody's"))
    assert current_state() is None
    state = enter(None, None)
    got_request_exception.send(None, request=None)
    assert state.error == ""
    leave()
