"""Plain records are written the quick way; what it cannot be sure of takes the careful way."""

import json
import logging
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockerflow_django.logging import MozlogFormatter, making
from dockerflow_django.logging import formatter as formatter_module
from dockerflow_django.logging.content import MESSAGE, SUMMARY_LAST, SUMMARY_LOGGER
from dockerflow_django.logging.envelope import FIELDS, MAX_TIMESTAMP, TIMESTAMP
from dockerflow_django.logging.formatter import MAX_HEADS
from dockerflow_django.logging.sanitising import MAX_TEXT
from dockerflow_django.logging.scrubbing import REDACTED
from tests.logging.lines import fields_of, make_record, parse

SUMMARY = {"method": "GET", "path": "/", "t": 12, "t_db": 1.5, "slow": False, SUMMARY_LAST: 0}


def make_summary(**fields):
    """Return a record as the app makes a summary."""
    record = making.make_record(SUMMARY_LOGGER, logging.INFO, "")
    record.__dict__.update(fields)
    return record


@pytest.fixture
def quick(formatter, monkeypatch):
    """Return a formatter that has no careful way."""
    monkeypatch.setattr(formatter, "_careful", None)
    return formatter


@pytest.mark.parametrize(
    ("record", "fields"),
    [
        (make_record("hello"), {MESSAGE: "hello"}),
        (make_record(), {MESSAGE: ""}),
        (make_record("100%"), {MESSAGE: "100%"}),
        (make_record("%s of %d", ("one", 2)), {MESSAGE: "one of 2"}),
        (make_record("%(a)s", ({"a": Path("/b")},)), {MESSAGE: "/b"}),
        (make_record("%s %s", (None, b"c")), {MESSAGE: "None b'c'"}),
        (make_record(**SUMMARY), SUMMARY),
        (make_record(**SUMMARY, name=SUMMARY_LOGGER), SUMMARY),
        (make_summary(**SUMMARY), SUMMARY),
        (make_summary(ids=["a", "b"], uid=None, errno=0), {"ids": ["a", "b"], "errno": 0}),
        (make_record("done", **SUMMARY, name=SUMMARY_LOGGER), {MESSAGE: "done", **SUMMARY}),
        (make_record("x", rid=None, uid="7"), {MESSAGE: "x", "uid": "7"}),
        (make_record("x", uid="a=b: c"), {MESSAGE: "x", "uid": "a=b: c"}),
        (make_record("token=abc123"), {MESSAGE: f"token={REDACTED}"}),
        (make_record("x", uid="token=abc123"), {MESSAGE: "x", "uid": f"token={REDACTED}"}),
        (make_record("x", has_token=True), {MESSAGE: "x", "has_token": True}),
    ],
)
def test_plain_records(quick, record, fields):
    """Nothing that they hold has to be taken apart."""
    for _ in range(2):
        assert fields_of(quick.format(record)) == fields


def test_after_another_formatter(quick):
    """What another handler's formatter has left on a record does not make it a slow one."""
    record = make_record("x", uid="7")
    logging.Formatter("%(message)s").format(record)
    assert fields_of(quick.format(record)) == {MESSAGE: "x", "uid": "7"}


def test_no_space_is_wasted(formatter):
    """Neither way writes a space that JSON does not need."""
    for record in (make_record("x", n=1), make_record("x", it={"a": 1})):
        line = formatter.format(record)
        assert line == json.dumps(json.loads(line), separators=(",", ":"))


def test_single_argument(quick):
    """A record made by hand may have an argument instead of arguments."""
    record = make_record("%d items")
    record.args = 5
    assert fields_of(quick.format(record)) == {MESSAGE: "5 items"}


def test_asked_for(make_formatter, monkeypatch):
    """Attributes that `fmt` names, and defaults, do not make a record a slow one."""
    formatter = make_formatter("%(lineno)d %(asctime)s", "%Y", defaults={"site": "a"})
    monkeypatch.setattr(formatter, "_careful", None)
    assert fields_of(formatter.format(make_record("x"))) == {
        MESSAGE: "x",
        "lineno": 7,
        "site": "a",
        "asctime": time.strftime("%Y"),
    }


def test_summary_with_more_fields(make_formatter):
    """What `fmt` names, and defaults, are in a summary too."""
    record = make_summary(**SUMMARY)
    asked = make_formatter(["lineno"])
    assert fields_of(asked.format(record)) == {**SUMMARY, "lineno": 0}
    filled = make_formatter(defaults={"site": "a"})
    assert fields_of(filled.format(record)) == {**SUMMARY, "site": "a"}


def test_summary_without_orjson(monkeypatch):
    """Its names are encoded once, and not with every record."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    formatter = MozlogFormatter()
    monkeypatch.setattr(formatter, "_encode", None)
    monkeypatch.setattr(formatter, "_careful", None)
    for fields in (SUMMARY, {"method": "GET", SUMMARY_LAST: 0}):
        assert fields_of(formatter.format(make_summary(**fields))) == fields


def test_summary_with_orjson(monkeypatch):
    """It gets the fields as they were made: nothing looks through them before."""
    orjson = pytest.importorskip("orjson")
    seen = []

    def dumps(fields):
        seen.append(fields)
        return orjson.dumps(fields)

    monkeypatch.setitem(sys.modules, "orjson", SimpleNamespace(dumps=dumps))
    formatter = MozlogFormatter()
    monkeypatch.setattr(formatter, "_plain_fields", None)
    monkeypatch.setattr(formatter, "_careful", None)
    assert fields_of(formatter.format(make_summary(**SUMMARY))) == SUMMARY
    assert seen == [SUMMARY]


def test_summary_is_not_scrubbed_again(quick, monkeypatch):
    """What it is made with is scrubbed then; also after another handler's formatter."""
    monkeypatch.setattr(formatter_module, "_scrub", None)
    record, alone = make_summary(**SUMMARY), make_summary(it=["a"], errno=0)
    for _ in range(2):
        assert fields_of(quick.format(record)) == SUMMARY
        assert fields_of(quick.format(alone)) == {"it": ["a"], "errno": 0}
        logging.Formatter("%(message)s").format(record)


def test_own_fields_of_a_summary_are_not_scrubbed_again(quick, monkeypatch):
    """Not even if a filter or a record factory adds to them: with tracing that is every request."""
    seen = []
    monkeypatch.setattr(formatter_module, "may_hold_secrets", lambda text: bool(seen.append(text)))
    filtered = make_summary(**SUMMARY, note="a=b")
    factory = logging.getLogRecordFactory()

    def tracing(*args):
        record = factory(*args)
        record.span = "c"
        return record

    monkeypatch.setattr(logging, "_logRecordFactory", tracing)
    traced = make_summary(**SUMMARY)
    assert fields_of(quick.format(filtered)) == {**SUMMARY, "note": "a=b"}
    assert fields_of(quick.format(traced)) == {"span": "c", **SUMMARY}
    assert seen == ["a=b", "c"]


@pytest.mark.parametrize("added", [{"note": "token=hunter2"}, {"password": "hunter2"}])
def test_what_is_added_to_a_summary_is_scrubbed(formatter, added):
    """A filter may add anything, and a list is looked at as a whole."""
    record = make_summary(**SUMMARY)
    record.__dict__.update(added)
    (name,) = added
    assert fields_of(formatter.format(record)) == {
        **SUMMARY,
        name: added[name].replace("hunter2", REDACTED),
    }
    record.argv = ["--password", "hunter2"]
    assert fields_of(formatter.format(record))["argv"] == ["--password", REDACTED]


def test_failed_summary_keeps_its_id_and_its_route(formatter):
    """A message is scrubbed, and the fields that are as they were sent are left."""
    own = {"rid": "job-token=41", "route": "a/<token:token>/"}
    record = make_summary(**own, **SUMMARY)
    record.msg = "ValueError: token=hunter2"
    assert fields_of(formatter.format(record)) == {
        MESSAGE: f"ValueError: token={REDACTED}",
        **own,
        **SUMMARY,
    }


@pytest.mark.parametrize("name", ["agent", "lang", "querystring", "uid"])
def test_own_name_that_a_filter_adds_is_scrubbed(formatter, name):
    """A request need not have such a field."""
    record = make_summary(**SUMMARY)
    record.__dict__[name] = "password=hunter2"
    assert fields_of(formatter.format(record))[name] == f"password={REDACTED}"


def test_message_of_a_summary_is_scrubbed(formatter):
    """Whoever has set it."""
    record = make_summary(**SUMMARY)
    record.msg = "token=hunter2"
    assert fields_of(formatter.format(record))[MESSAGE] == f"token={REDACTED}"


def test_projects_record_on_the_summarys_logger_is_scrubbed(formatter):
    """The name alone says nothing of what it holds, nor of its last field."""
    record = make_record(
        name=SUMMARY_LOGGER,
        password="hunter2",
        url="https://a:hunter2@b/",
        argv=["-u", "a:b"],
        errno=0,
    )
    assert "hunter2" not in formatter.format(record)


@pytest.mark.parametrize("logger", [SUMMARY_LOGGER, "shop"])
def test_own_name_of_a_summary_in_a_projects_record_is_scrubbed(formatter, logger):
    """Whichever logger it is: nobody has scrubbed it before."""
    record = make_record(name=logger, route="password=hunter2", errno=0)
    assert fields_of(formatter.format(record)) == {"route": f"password={REDACTED}", "errno": 0}


@pytest.mark.parametrize("created", [0.0, 1e-9, (MAX_TIMESTAMP - 1024) / 1e9])
def test_first_and_last_time(quick, created):
    """From 1970 on, as far as 63 bits reach."""
    record = make_record("x")
    record.created = created
    assert parse(quick.format(record))[TIMESTAMP] == int(created * 1e9)


def test_envelope_of_both_ways(formatter):
    """It is the same, however the fields are written."""
    quick, careful = make_record("x"), make_record("x", it={"a": 1})
    quick.created = careful.created = 5.5
    lines = [parse(formatter.format(record)) for record in (quick, careful)]
    fields = [line.pop(FIELDS) for line in lines]
    assert lines[0] == lines[1]
    assert lines[0][TIMESTAMP] == 5_500_000_000
    assert fields == [{MESSAGE: "x"}, {MESSAGE: "x", "it": '{"a": 1}'}]


def test_line_that_is_as_long_as_a_value_may_be(quick):
    """Only a line that is longer may hold a value that is too long."""
    text = "x" * (MAX_TEXT - len(f'{{"{MESSAGE}":""}}'))
    assert fields_of(quick.format(make_record(text))) == {MESSAGE: text}


def test_no_more_envelopes_than_so_many_are_kept(formatter):
    """Not at any time, and they are kept until then."""
    for number in range(MAX_HEADS + 2):
        formatter.format(make_record("x", name=f"logger-{number}"))
        assert len(formatter._heads) == number % MAX_HEADS + 1


def test_each_process_and_service_has_its_envelope(formatter):
    """What is kept is kept by all that it holds."""
    first, second = make_record("x"), make_record("x")
    second.process += 1
    assert parse(formatter.format(first))["Pid"] + 1 == parse(formatter.format(second))["Pid"]
    formatter.logger_name = "another"
    assert parse(formatter.format(first))["Logger"] == "another"
    first.levelno = logging.ERROR
    assert parse(formatter.format(first))["Severity"] == 3
