"""A summary's fields without orjson: as any other encoder writes them, or left to one."""

import json

import pytest

from dockerflow_django.logging.content import STANDARD, SUMMARY_LAST, SUMMARY_LOGGER
from dockerflow_django.logging.layout import MAX_LAYOUTS, Layouts
from tests.logging.lines import fields_of, make_record


def encode(layouts, **extras):
    """Return what the layouts make of a record that has these extras, and the last one."""
    return layouts.encode(make_record(**extras, errno=0).__dict__)


@pytest.fixture
def layouts():
    return Layouts(STANDARD, SUMMARY_LAST)


@pytest.mark.parametrize(
    "extras",
    [
        {"code": 200, "path": 'a "quoted" \\ path\n', "t": 1.5, "ok": True, "failed": False},
        {"100%s": 1, "%(path)s": "%d"},
        {"höhe": "日本", "big": 2**70, "small": 5e-324},
    ],
)
def test_plain_values(layouts, extras):
    """Plain values are written as JSON in ASCII, the second time by the same layout."""
    for _ in range(2):
        text = encode(layouts, **extras)
        assert text.isascii()
        assert json.loads(text) == extras | {SUMMARY_LAST: 0}
    assert len(layouts._layouts) == 1


@pytest.mark.parametrize(
    "value",
    [None, ["a"], float("nan"), float("inf"), "\ud800", "\N{GRINNING FACE}", 10**5000],
    ids=["None", "list", "NaN", "infinity", "half", "two halves", "too many digits"],
)
def test_left_to_others(layouts, value):
    """What is no plain value, or may be no strict JSON, is left to another encoder."""
    assert encode(layouts, code=200, value=value) is None


def test_too_few_names(layouts):
    """A record with one extra, or without an attribute of Python's own, is left to another."""
    assert encode(layouts) is None
    attributes = make_record(path="/", errno=0).__dict__
    del attributes["processName"]
    assert layouts.encode(attributes) is None


def test_what_was_added_later(layouts):
    """What another formatter or a filter has left in a record is left to another encoder."""
    record = make_record(path="/", errno=0)
    record.message = "of another"
    assert layouts.encode(record.__dict__) is None


def test_many_layouts(layouts):
    """Names that are new in every record cost no more memory than so many layouts."""
    for number in range(MAX_LAYOUTS + 10):
        assert encode(layouts, **{"code": 200, f"name{number}": number}) is not None
        assert len(layouts._layouts) <= MAX_LAYOUTS


@pytest.mark.parametrize(
    ("extras", "wanted"),
    [
        ({"code": 200, "path": "/"}, {"code": 200, "path": "/"}),
        ({"code": 200, "path": None}, {"code": 200}),
        ({"code": 200, "ids": ["a"]}, {"code": 200, "ids": ["a"]}),
        (
            {"code": 200, "t": float("nan")},
            {"code": 200, "t": "nan", "formatter_error": ["t: nan"]},
        ),
        ({"code": 200}, {"code": 200}),
    ],
)
def test_lines_of_summaries(make_formatter, extras, wanted):
    """Whichever encoder writes a summary, its line says the same."""
    formatter = make_formatter()
    assert fields_of(formatter.format(make_record(name=SUMMARY_LOGGER, **extras))) == wanted
