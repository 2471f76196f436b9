"""Lines and columns of a terminal."""

import pytest

from dockerflow_django.management.folding import fold, table

RED, PLAIN = "\x1b[31;1m", "\x1b[0m"


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("one two three", None, ["one two three"]),
        ("one two three", 13, ["one two three"]),
        ("one two three", 12, ["one two", "  three"]),
        ("  one two", 5, ["  one", "  two"]),
        ("a/path/of/many/letters is it", 10, ["a/path/of/many/letters", "  is it"]),
        ("", 10, [""]),
        (f"{RED}error{PLAIN} in it", 11, [f"{RED}error{PLAIN} in it"]),
    ],
)
def test_text_is_folded_between_words(text: str, width: int | None, lines: list[str]):
    """A word stays whole, a colour takes no room, and a file's line is left alone."""
    assert list(fold(text, width, 2)) == lines


ROWS = [("name", "short"), ("long_name", "a value of many words")]


def test_rows_stand_in_columns():
    """In a file, and where there is room."""
    wide = ["  name       short", "  long_name  a value of many words"]
    assert list(table(ROWS, None)) == list(table(ROWS, 40)) == wide


def test_what_has_no_room_comes_below():
    """The others keep their columns."""
    assert list(table(ROWS, 30)) == [
        "  name       short",
        "  long_name",
        "      a value of many words",
    ]


def test_narrow_terminal_has_no_columns():
    """Where the first column leaves no room, each row stands for itself."""
    assert list(table(ROWS, 20)) == [
        "  name  short",
        "  long_name",
        "      a value of",
        "      many words",
    ]
