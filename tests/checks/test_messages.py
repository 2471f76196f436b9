"""What a failing check says, and to whom."""

import weakref

import pytest
from django.core.checks import Error, Info

from dockerflow_django import health
from dockerflow_django.checks.messages import cause_of, failure
from dockerflow_django.logging.description import MAX_LENGTH

ID = health.ERROR_CACHE_FAILED


def test_public_part_is_djangos_own_message():
    """A message made here equals the plain Django one: the cause is beside it, not in it."""
    message = failure(Error, "It failed.", ID, OSError("at redis://u:p@host"))
    assert message == Error("It failed.", id=ID)
    assert "host" not in f"{message}{message!r}"


def test_cause_names_class_and_first_line():
    """The log gets the exception's class and first line, and not the rest."""
    message = failure(Error, "It failed.", ID, ValueError("\nfirst\nsecond"))
    assert cause_of(message) == "ValueError: first"


@pytest.mark.parametrize(
    ("cause", "text"), [(OSError(), "OSError"), ("12 % free", "12 % free"), (None, "")]
)
def test_cause_may_be_anything_short(cause, text):
    """An exception without text is its class, a text is itself, nothing is empty."""
    assert cause_of(failure(Info, "So it is.", ID, cause)) == text


def test_cause_is_let_go(no_collection):
    """What only the frames of the cause hold is let go, and of what that was raised from."""
    is_gone = []

    def refuse():
        held = Held()
        is_gone.append(weakref.ref(held))
        try:
            int("refused")
        except ValueError as error:
            names_its_frame = error
            raise names_its_frame from names_its_frame

    try:
        try:
            refuse()
        except ValueError as error:
            raise RuntimeError from error
    except RuntimeError as error:
        assert is_gone[0]() is not None
        failure(Error, "It failed.", ID, error)
    assert is_gone[0]() is None


def test_what_the_caller_handles_is_kept():
    """A check that fails while its caller handles an exception leaves that one as it is."""
    is_gone = []

    def fail():
        held = Held()
        is_gone.append(weakref.ref(held))
        int("refused")

    def check():
        try:
            int("refused again")
        except ValueError as error:
            failure(Error, "It failed.", ID, error)

    def handle():
        try:
            fail()
        except ValueError:
            check()
            raise

    with pytest.raises(ValueError, match="refused") as handled:
        handle()
    assert is_gone[0]() is not None
    del handled
    assert is_gone[0]() is None


class Held:
    """Something that an exception's frame holds."""


@pytest.mark.parametrize(
    "text",
    ["amqp://user:s3cret@host:5672//", "login with password=s3cret", "GET /?token=s3cret&a=b"],
)
def test_cause_holds_no_secret(text):
    """Credentials in an exception's text do not reach the log either."""
    assert "s3cret" not in cause_of(failure(Error, "It failed.", ID, OSError(text)))


def test_cause_is_bounded():
    """A client that quotes a whole document does not fill the log."""
    message = failure(Error, "It failed.", ID, OSError("x" * 10_000))
    assert len(cause_of(message)) == MAX_LENGTH


def test_cause_that_cannot_be_printed_is_its_class():
    """An exception that is wrong in its own text costs the check nothing."""

    class OddError(Exception):
        def __str__(self):
            raise LookupError

    assert cause_of(failure(Error, "It failed.", ID, OddError())) == "OddError"


def test_other_messages_have_no_cause():
    """Asking a project's own message for its cause is no error."""
    assert cause_of(Error("It failed.")) == ""
