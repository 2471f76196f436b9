"""Text that can be written anywhere."""

import pytest

from dockerflow_django.logging.text import free_name, one_line, safe_repr, well_formed


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("plain", "plain"),
        ("höhe", "höhe"),
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("\x1b[2J", r"\x1b[2J"),
        ("\x9b31m", r"\x9b31m"),
        ("\x85\u2028", r"\x85\u2028"),
        ("\u202eabc\u2066", r"\u202eabc\u2066"),
        ("\x7f", r"\x7f"),
    ],
)
def test_one_line(text, line):
    """No character starts a line, commands a terminal or turns the text round."""
    assert one_line(text) == line


def test_well_formed():
    """Only lone surrogates are written otherwise."""
    for text in ("plain", "höhe", "\N{GRINNING FACE}"):
        assert well_formed(text) is text
    assert well_formed("a\ud800") == r"a\ud800"


def test_safe_repr():
    """A `__repr__` that raises, or returns no text, is replaced by the type and the reason."""

    class Odd:
        def __repr__(self):
            return 5

    assert safe_repr("a") == "'a'"
    assert safe_repr(Odd()) == "<unprintable Odd: TypeError>"


def test_free_name():
    """A name that is taken twice over is still kept."""
    assert free_name("a", {"b": 1}) == "a"
    assert free_name("a", {"a": 1, "fields.a": 2}) == "fields.fields.a"
