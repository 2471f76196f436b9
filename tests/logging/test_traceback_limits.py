"""How much is told of an exception, and what is read of a traceback that is only text."""

import pytest

from dockerflow_django.logging import safer_format_traceback
from dockerflow_django.logging.content import ERROR, TRACEBACK
from dockerflow_django.logging.tracebacks import (
    CUT,
    FOLDED_MARK,
    MAX_CHAIN,
    MAX_CHARACTERS,
    MAX_FRAMES,
)
from tests.logging.lines import fields_of, make_record


def ping(depth):
    return pong(depth - 1)


def pong(depth):
    return ping(depth - 1) if depth > 0 else at_the_end()


def at_the_end():
    raise ValueError("deep")


def test_the_last_frames_are_told():
    """The place where it was raised is among them."""
    with pytest.raises(ValueError, match="deep") as caught:
        ping(2 * MAX_FRAMES)
    text = safer_format_traceback(caught.type, caught.value, caught.value.__traceback__)
    assert text.count("\n  File ") == MAX_FRAMES
    assert "in at_the_end\n" in text


def test_as_many_characters_as_there_may_be():
    """A text of that length is whole; with one more its line is left out."""
    text = "x" * (MAX_CHARACTERS - len("ValueError: \n"))
    whole = safer_format_traceback(ValueError, ValueError(text), None)
    assert whole == f"ValueError: {text}"
    assert safer_format_traceback(ValueError, ValueError(text + "x"), None) == CUT.strip()


@pytest.mark.parametrize("is_suppressed", [False, True])
def test_long_chain_of_contexts(is_suppressed):
    """It is cut as one of causes is; what `from None` hides is not missed."""
    error = None
    for number in range(MAX_CHAIN + 5):
        inner, error = error, ValueError(number)
        error.__context__, error.__suppress_context__ = inner, is_suppressed
    text = safer_format_traceback(type(error), error, None)
    assert text.count("ValueError: ") == (1 if is_suppressed else MAX_CHAIN)
    assert text.count("During handling") == text.count("ValueError: ") - 1
    assert "direct cause" not in text
    assert text.startswith(CUT) is not is_suppressed


def test_chain_as_long_as_it_may_be():
    """Nothing is left out, so nothing is said to be."""
    error = None
    for number in range(MAX_CHAIN):
        inner, error = error, ValueError(number)
        error.__cause__ = inner
    text = safer_format_traceback(type(error), error, None)
    assert text.count("ValueError: ") == MAX_CHAIN
    assert CUT.strip() not in text


FRAME = '  File "<string>", line 1, in <module>'


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (f"{FOLDED_MARK}\n{FRAME}\nValueError: x", "ValueError: x"),
        (f"{FOLDED_MARK}\n{FRAME}\nValueError: x\na note", "ValueError: x"),
        (f"{FOLDED_MARK}\n{FRAME}\n    f()\n\nValueError: x", "ValueError: x"),
        (f"{FOLDED_MARK}\n{FRAME}\n    f()", "    f()"),
        ("ValueError: x\n\nmore", "ValueError: x"),
    ],
)
def test_error_in_a_text(formatter, text, error):
    """It is the first line after the frames; if the text was cut before that, the last there is."""
    record = make_record("failed")
    record.exc_text = text
    fields = fields_of(formatter.format(record))
    assert fields[ERROR] == error
    assert fields[TRACEBACK] == text


def test_an_exception_without_a_class():
    """Half of an `exc_info` is told as far as it goes."""
    assert safer_format_traceback(ValueError, None, None) == "<class 'ValueError'>: None"
    assert safer_format_traceback(None, ValueError("x"), None) == "NoneType: None"
