"""What is shown of values that are as long or as many as they may be, and of one more."""

import pytest

from dockerflow_django.logging.content import MESSAGE
from dockerflow_django.logging.formatter import FORMATTER_ERROR
from dockerflow_django.logging.sanitising import (
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_LINE,
    MAX_NODES,
    MAX_SCRUBBED,
    MAX_TEXT,
    Sanitiser,
)
from dockerflow_django.logging.scrubbing import REDACTED
from tests.logging.lines import fields_of, make_record

TEXT = "".join(f"{number:08}" for number in range(MAX_TEXT // 8 + 1))


@pytest.mark.parametrize("more", [1, 8])
def test_middle_of_a_text(formatter, more):
    """Three quarters of what may be shown are its beginning, one its end."""
    text = TEXT[: MAX_TEXT + more]
    marker = f"[{more} characters cut]"
    assert fields_of(formatter.format(make_record("said", it=text))) == {
        MESSAGE: "said",
        "it": text[: MAX_TEXT * 3 // 4] + marker + text[-MAX_TEXT // 4 :],
        FORMATTER_ERROR: [f"it: {marker}"],
    }


def test_text_as_long_as_it_may_be(formatter):
    """It is whole."""
    text = TEXT[:MAX_TEXT]
    assert fields_of(formatter.format(make_record(it=text, n=[]))) == {"it": text, "n": "[]"}


def test_nested_value_that_is_too_long(formatter):
    """It is cut as the text that it becomes."""
    shown = fields_of(formatter.format(make_record(it={"a": TEXT, "b": 1})))["it"]
    assert shown.startswith('{"a": "0000000000000001')
    assert shown.endswith('", "b": 1}')
    assert len(shown) < MAX_TEXT + 30


def test_nothing_is_left_of_the_line(formatter):
    """Once as much is shown as a line may hold, of other texts their lengths are."""
    texts = {f"t{number}": "x" * MAX_TEXT for number in range(MAX_LINE // MAX_TEXT)}
    fields = fields_of(formatter.format(make_record(**texts, last="abc", n=5)))
    assert {name: fields[name] for name in texts} == texts
    assert fields["last"] == "[3 characters cut]"
    assert fields["n"] == 5
    assert fields[FORMATTER_ERROR] == ["last: [3 characters cut]"]


@pytest.mark.parametrize("length", [MAX_TEXT + 500, MAX_SCRUBBED])
def test_secret_that_is_too_long(formatter, length):
    """The text is scrubbed before it is cut."""
    begin = "it was password='"
    text = begin + "x" * (length - len(begin) - 1) + "'"
    assert len(text) == length
    fields = fields_of(formatter.format(make_record(it=text, n=[])))
    assert fields == {"it": f"it was password={REDACTED}", "n": "[]"}


def test_text_that_is_too_long_to_be_scrubbed_as_a_whole(formatter):
    """What is said to be cut is counted in the text as it was, its secrets included."""
    text = "password=hunter2 " + "x " * MAX_SCRUBBED + "token=hunter2"
    fields = fields_of(formatter.format(make_record(it=text, n=[])))
    marker = f"[{len(text) - MAX_TEXT} characters cut]"
    assert fields[FORMATTER_ERROR] == [f"it: {marker}"]
    assert "hunter2" not in fields["it"]
    assert len(fields["it"]) == MAX_TEXT + len(marker)


LINES = "0123456789abcdef\n" * (MAX_SCRUBBED // 16)


@pytest.mark.parametrize(
    ("end", "shown"),
    [
        ("x1" * MAX_SCRUBBED, ""),
        ("x1" * MAX_SCRUBBED + "\nsecond", ""),
        ("x1" * MAX_SCRUBBED + "\nx1\nthird\nfourth", "third\nfourth"),
        ("x1\n" + LINES, LINES[-MAX_TEXT // 4 :]),
    ],
    ids=["one line", "two lines", "four lines", "many lines"],
)
def test_end_of_a_secret_whose_name_is_cut_off(formatter, end, shown):
    """The end of a text is shown from its third line on: there the secret is over."""
    begin = f"failed: secret={'x1' * MAX_SCRUBBED}\n" if shown else ""
    text = f"{begin}password={end}"
    fields = fields_of(formatter.format(make_record(it=text, n=[])))
    marker = f"[{len(text) - MAX_TEXT} characters cut]"
    assert "x1" not in fields["it"]
    assert fields["it"].endswith(marker + shown)


def test_end_of_a_secret_of_many_words_whose_name_is_cut_off(formatter):
    """However many they are, they stand in one line."""
    text = "password='" + "x1 " * MAX_SCRUBBED + "'"
    fields = fields_of(formatter.format(make_record(it=text, n=[])))
    assert "x1" not in fields["it"]


def test_value_below_a_name_that_is_cut_off(formatter):
    """It is not shown, either."""
    end = "word:\nx1\ntoken="
    text = (
        "password="
        + "y" * MAX_SCRUBBED
        + "\npass"
        + end.ljust(MAX_SCRUBBED // 2 - 4, "z")
        + "\nend"
    )
    fields = fields_of(formatter.format(make_record(it=text, n=[])))
    assert fields["it"].endswith(f" characters cut]token={REDACTED}\nend")


def test_as_many_fields_as_there_may_be():
    """None is left out, and none is said to be."""
    sanitiser = Sanitiser()
    raw = {f"field{number}": number for number in range(MAX_FIELDS)}
    assert sanitiser.fields(raw) == raw
    assert sanitiser.notes == []


@pytest.mark.parametrize("more", [0, 1])
def test_items(formatter, more):
    """One more than there may be is left out."""
    fields = fields_of(formatter.format(make_record(it=list(range(MAX_ITEMS + more)))))
    assert fields["it"] == list(range(MAX_ITEMS))
    assert fields.get(FORMATTER_ERROR, []) == (["it: 1 items cut"] if more else [])


def test_items_of_all_values_together():
    """Of nested lists as many items are shown as of all of them together may be."""
    sanitiser = Sanitiser()
    inner = [1] * (MAX_ITEMS - 1)
    lists = MAX_NODES // MAX_ITEMS
    shown = sanitiser.fields({f"it{number}": inner for number in range(lists + 1)})
    assert all(shown[f"it{number}"] == inner for number in range(lists))
    assert shown[f"it{lists}"] == [1] * lists
    assert sanitiser.notes == [f"it{lists}: {len(inner) - lists} items cut"]


def test_a_note_is_not_repeated(formatter):
    """Values that are replaced alike in one field are told once."""
    fields = fields_of(formatter.format(make_record(it=["\ud800", "\ud801", {"a": float("nan")}])))
    assert fields[FORMATTER_ERROR] == ["it: undecodable", "it: nan"]


class Columns(list):
    """A list with an attribute that in a named tuple would hold the names of its items."""

    _fields = 2


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ({"a": "höhe"}, '{"a": "höhe"}'),
        ({"key": "DB_PASSWORD", "value": "x1"}, f'{{"key": "DB_PASSWORD", "value": "{REDACTED}"}}'),
        ({"name": "token", "Value": "x1"}, f'{{"name": "token", "Value": "{REDACTED}"}}'),
        ({"name": "token", "other": "x1"}, '{"name": "token", "other": "x1"}'),
        (["run", "--no-password", "x1"], ["run", "--no-password", "x1"]),
        (["run", "--password", "--verbose"], ["run", "--password", "--verbose"]),
        (["a", "--token", "x1", "b"], ["a", "--token", REDACTED, "b"]),
        ({"api_tokens": 1.5, "token": 1.5}, f'{{"api_tokens": 1.5, "token": "{REDACTED}"}}'),
        ({"token": False, "otp": True, "pin": None}, '{"token": false, "otp": true, "pin": null}'),
        ({"password": "none"}, '{"password": "none"}'),
        ({"password": "!%&/$"}, f'{{"password": "{REDACTED}"}}'),
        (Columns(["a", "b"]), ["a", "b"]),
        ({"token": ["x1", 5]}, f'{{"token": "{REDACTED}"}}'),
    ],
)
def test_names_of_secrets_among_values(formatter, value, shown):
    """They hide what they name, and only that."""
    assert fields_of(formatter.format(make_record(it=value))) == {"it": shown}
