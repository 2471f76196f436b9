"""The how-to's table of log values that change, row by row."""

import json
import logging

import pytest

from dockerflow_django.logging import MozlogFormatter
from tests.documents import tables_in
from tests.logging.lines import parse
from tests.moving.test_moving import HOWTO

ROWS = next(rows for rows in tables_in(HOWTO) if rows[0][0] == "a nested value")


def line(level=logging.INFO, message="", exc_info=None, **extras):
    record = logging.LogRecord("shop", level, __file__, 1, message, (), exc_info)
    vars(record).update(extras)
    return parse(MozlogFormatter().format(record))


def test_the_rows_that_are_tried_here():
    """A new row has a test below, or is the summary's and has one there."""
    assert [row[0] for row in ROWS] == [
        "a nested value",
        "a value that is None",
        "a long text",
        "Severity of a level between two names, like 25",
        "agent, lang, uid without a value",
        "code, route, size, db_queries, t_db",
        "errno",
        "msg of a failed request",
        "querystring",
        "rid",
        "error, traceback",
        "Type of the app's own records",
    ]


def test_a_nested_value_is_json_text():
    """As the schema has no place for objects."""
    assert json.loads(line(cart={"items": [1, 2]})["Fields"]["cart"]) == {"items": [1, 2]}


def test_none_is_absent():
    """The schema knows no null."""
    assert line(message="m", coupon=None)["Fields"] == {"msg": "m"}


def test_a_long_text_is_cut():
    """After 32 kB."""
    assert 32_000 <= len(line(text="a" * 100_000)["Fields"]["text"]) < 33_000


def test_a_level_between_two_names():
    """Takes the lower name's severity."""
    assert line(level=25)["Severity"] == 6


@pytest.fixture
def summaries(client, caplog):
    """Give the summary of a plain request, and of one that names nothing of itself."""
    caplog.set_level(logging.INFO)
    headers = {"user-agent": "", "accept-language": ""}
    client.get("/plain/?token=s3cret&a=%41", headers=headers)
    client.get("/missing/")
    return [vars(record) for record in caplog.records if record.name == "request.summary"]


def test_the_summary_s_fields(summaries):
    """What nobody said is absent, errno is the status from 400, an id has 32 hex digits."""
    plain, missing = summaries
    assert not {"agent", "lang", "uid"} & plain.keys()
    assert {"code", "route", "size", "db_queries", "t_db"} <= plain.keys()
    assert (plain["errno"], missing["errno"]) == (0, 404)
    assert len(plain["rid"]) == 32
    assert int(plain["rid"], 16)


def test_an_exception_is_in_python_s_form():
    """With its causes."""
    try:
        try:
            {}["a"]
        except KeyError as error:
            raise ValueError("wrong") from error
    except ValueError as error:
        found = line(exc_info=(type(error), error, error.__traceback__))["Fields"]
    assert "ValueError" in found["error"]
    assert "KeyError" in found["traceback"]
