"""What MozlogFormatter writes for ordinary records, its options and its hooks."""

import json
import logging
import os
import socket
import time
from typing import ClassVar

import pytest

from dockerflow_django.logging import JsonLogFormatter, MozlogFormatter
from dockerflow_django.logging.content import ARGUMENTS, ERROR, MESSAGE, STACK, TRACEBACK
from dockerflow_django.logging.envelope import (
    ENV_VERSION,
    FIELDS,
    HOSTNAME,
    LOGGER,
    PID,
    SEVERITY,
    TIMESTAMP,
    TYPE,
)
from dockerflow_django.logging.formatter import FORMATTER_ERROR, MAX_HEADS
from tests.logging.lines import fields_of, make_record, parse, raised

SUMMARY = {"method": "GET", "path": "/", "code": 200, "t": 12, "t_db": 1.5, "slow": False}


def test_envelope(formatter):
    """A line names the time in nanoseconds, the logger, the service, host, version and process."""
    record = make_record("hello", name="shop.orders")
    line = parse(formatter.format(record))
    assert line == {
        TIMESTAMP: int(record.created * 1e9),
        TYPE: "shop.orders",
        LOGGER: "tests",
        HOSTNAME: socket.gethostname(),
        ENV_VERSION: MozlogFormatter.LOGGING_FORMAT_VERSION,
        SEVERITY: 6,
        PID: os.getpid(),
        FIELDS: {MESSAGE: "hello"},
    }


def test_timestamp_is_now(formatter):
    """The timestamp counts nanoseconds."""
    line = parse(formatter.format(make_record("hello")))
    assert abs(line[TIMESTAMP] - time.time_ns()) < 60e9


def test_second_record_of_a_logger_is_like_the_first(formatter):
    """The envelope that is kept from one record to the next stays right."""
    for level, severity in ((logging.INFO, 6), (logging.ERROR, 3), (logging.INFO, 6)):
        assert parse(formatter.format(make_record("x", level=level)))[SEVERITY] == severity


def test_many_loggers_do_not_fill_the_memory(formatter):
    """No more than MAX_HEADS envelopes are kept, and lines stay right beyond that."""
    for number in range(MAX_HEADS + 2):
        line = formatter.format(make_record("x", name=f"logger-{number}"))
        assert f'"{TYPE}":"logger-{number}"' in line
    assert len(formatter._heads) <= MAX_HEADS


def test_extras_are_fields(formatter):
    """Extras keep their names and types; without a message there is no `msg`."""
    assert fields_of(formatter.format(make_record(**SUMMARY))) == SUMMARY


def test_message_with_arguments(formatter):
    """The message is the text with its arguments filled in."""
    assert fields_of(formatter.format(make_record("%s of %d", ("one", 2))))[MESSAGE] == "one of 2"


def test_paths_that_no_server_tells_stay(formatter):
    """A project's own message keeps the query string of a path, in the careful way too."""
    for extra in (7, {"a": 1}):
        fields = fields_of(formatter.format(make_record("see /a?page=2", it=extra)))
        assert fields[MESSAGE] == "see /a?page=2"


def test_arguments_by_names_that_are_no_text(formatter):
    """A dict of arguments may have any keys."""
    record = make_record("%(a)s", ({"a": "x", 5: "y"},))
    assert fields_of(formatter.format(record)) == {MESSAGE: "x"}


def test_nothing_said_leaves_a_valid_line(formatter):
    """An empty message without extras is an empty `msg`, not an empty `Fields`."""
    assert fields_of(formatter.format(make_record())) == {MESSAGE: ""}
    assert fields_of(formatter.format(make_record(nothing=None))) == {MESSAGE: ""}


def test_none_is_no_field(formatter):
    """An extra without value is left out, as the schema knows no null (D29)."""
    assert fields_of(formatter.format(make_record("x", rid=None, uid="7"))) == {
        MESSAGE: "x",
        "uid": "7",
    }


def test_list_of_texts_stays_a_list(formatter):
    """A list of one kind is a list in the line, as `remoteAddressChain` must be."""
    chain = ["192.0.2.1", "198.51.100.7"]
    fields = fields_of(formatter.format(make_record(remoteAddressChain=chain)))
    assert fields["remoteAddressChain"] == chain


@pytest.mark.parametrize(
    "message", ['{"spam": "eggs"}', "{user} did {thing}", "{}", "[1, 2]", '"quoted"']
)
def test_message_that_looks_like_json_is_kept(formatter, message):
    """A message in braces is a message like any other (D25)."""
    assert fields_of(formatter.format(make_record(message)))[MESSAGE] == message


def test_dict_message_becomes_fields(formatter):
    """A dict as message is kept: its entries are fields (D25)."""
    record = make_record({"spam": "eggs", "n": 1, 2: "two", "deep": {"a": [1]}}, level=30)
    assert fields_of(formatter.format(record)) == {
        "spam": "eggs",
        "n": 1,
        "2": "two",
        "deep": '{"a": [1]}',
    }


def test_dict_message_hides_no_extra(formatter):
    """Where a dict message and an extra have one name, both are shown."""
    record = make_record({"rid": "said", "msg": "hi"}, rid="real")
    record.args = ("more",)
    assert fields_of(formatter.format(record)) == {
        "rid": "real",
        "fields.rid": "said",
        MESSAGE: "hi",
        ARGUMENTS: ["more"],
    }


@pytest.mark.parametrize(
    ("level", "severity"),
    [
        (logging.CRITICAL, 2),
        (logging.ERROR, 3),
        (logging.WARNING, 4),
        (logging.INFO, 6),
        (logging.DEBUG, 7),
        (60, 2),
        (45, 3),
        (35, 4),
        (25, 6),
        (15, 7),
        (5, 7),
        (0, 7),
        (-1, 7),
    ],
)
def test_severity(formatter, level, severity):
    """A level between two names has the severity of the lower one (D30)."""
    assert parse(formatter.format(make_record("x", level=level)))[SEVERITY] == severity


def test_subclass_may_have_other_severities():
    """A project's own levels are a matter of one table."""

    class Formatter(MozlogFormatter):
        SYSLOG_LEVEL_MAP: ClassVar = {**MozlogFormatter.SYSLOG_LEVEL_MAP, 25: 5, 60: 1}

    assert parse(Formatter().format(make_record("x", level=25)))[SEVERITY] == 5
    assert parse(Formatter().format(make_record("x", level=70)))[SEVERITY] == 1


def test_exception(formatter):
    """An exception is told as `error` and `traceback`."""
    fields = fields_of(formatter.format(make_record("oh", exc_info=raised(ValueError("\n")))))
    assert fields[MESSAGE] == "oh"
    assert fields[ERROR] == r"ValueError('\n')"
    assert fields[TRACEBACK].startswith("Traceback (most recent call last):\n  File")
    assert FORMATTER_ERROR not in fields


def test_no_exception_no_fields(formatter):
    """`exc_info` that holds no exception adds nothing."""
    for nothing in (None, False, (None, None, None), True):
        assert fields_of(formatter.format(make_record("x", exc_info=nothing))) == {MESSAGE: "x"}


def test_exception_as_exc_info(formatter):
    """A record that someone made with the exception itself as `exc_info` is understood."""
    record = make_record("x")
    record.exc_info = raised(KeyError("k"))[1]
    fields = fields_of(formatter.format(record))
    assert fields[ERROR] == "KeyError('k')"
    assert fields[TRACEBACK].endswith("\nKeyError: 'k'")


def test_extra_with_a_reserved_name_is_kept(formatter):
    """What a caller calls `error` is shown beside the record's own (as Go's mozlogrus does)."""
    record = make_record("oh", exc_info=raised(ValueError("x")), error="mine", traceback="too")
    fields = fields_of(formatter.format(record))
    assert fields[ERROR] == "ValueError('x')"
    assert fields["fields.error"] == "mine"
    assert fields["fields.traceback"] == "too"
    assert fields_of(formatter.format(make_record("x", error="mine")))[ERROR] == "mine"


def test_extra_named_like_the_notes_is_kept(formatter):
    """An extra called `formatter_error` gives way to the real one, and is shown."""
    record = make_record("x", **{FORMATTER_ERROR: "mine", "n": float("nan")})
    fields = fields_of(formatter.format(record))
    assert fields[FORMATTER_ERROR] == ["n: nan"]
    assert fields[f"fields.{FORMATTER_ERROR}"] == "mine"


def test_stack_info_is_shown(formatter):
    """`stack_info=True` is not in vain (D32)."""
    record = make_record("x")
    record.stack_info = "Stack (most recent call last):\n  File ..."
    assert fields_of(formatter.format(record))[STACK] == record.stack_info


@pytest.mark.parametrize(
    "fmt",
    [
        "%(pathname)s %(lineno)d %(funcName)s %(threadName)s %(message)s",
        ["pathname", "lineno", "funcName", "threadName", "message", "uid"],
    ],
)
def test_fmt_names_further_attributes(make_formatter, fmt):
    """Source location and thread are shown where `fmt` asks for them (D32)."""
    fields = fields_of(make_formatter(fmt).format(make_record("x", uid="7")))
    assert fields == {
        "pathname": "/app/shop.py",
        "lineno": 7,
        "funcName": "buy",
        "threadName": "MainThread",
        MESSAGE: "x",
        "uid": "7",
    }


def test_fmt_asks_for_the_time(make_formatter):
    """`asctime` is written as `datefmt` says, in the careful way too, and hides nothing."""
    formatter = make_formatter("%(asctime)s %(name)s", "%Y")
    year = time.strftime("%Y")
    assert fields_of(formatter.format(make_record("x")))["asctime"] == year
    fields = fields_of(formatter.format(make_record({"name": "Bob"})))
    assert fields == {"asctime": year, "name": "Bob", "fields.name": "shop"}


def test_defaults_fill_in(make_formatter):
    """`defaults` are fields of records that do not have them."""
    formatter = make_formatter(defaults={"environment": "test", "uid": "-"})
    for extra in ({"uid": "7"}, {"uid": "7", "list": []}):
        fields = fields_of(formatter.format(make_record("x", **extra)))
        assert fields.items() >= {"environment": "test", "uid": "7", MESSAGE: "x"}.items()


def test_other_formatters_leave_no_trace(formatter):
    """What another handler's formatter has written on the record is no extra."""
    record = make_record("x", exc_info=raised(ValueError("secret")))
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert fields_of(formatter.format(record)).keys() == {MESSAGE, ERROR, TRACEBACK}
    record = make_record("x")
    logging.Formatter("%(asctime)s %(message)s").format(record)
    assert fields_of(formatter.format(record)) == {MESSAGE: "x"}


def test_record_is_not_changed(formatter):
    """Formatting leaves the record as it was, for the next handler (D31)."""
    for record in (
        make_record("%s", ("x",), **SUMMARY),
        make_record({"a": 1}, deep={"b": []}, exc_info=raised(ValueError())),
        make_record("Not Found: %s", ("/a?b",), name="django.request"),
    ):
        before = dict(vars(record))
        formatter.format(record)
        assert vars(record) == before


def test_convert_record_is_the_line(formatter):
    """`convert_record` returns what `format` writes."""
    for record in (make_record("x", **SUMMARY), make_record("x", deep={"a": None})):
        assert formatter.convert_record(record) == json.loads(formatter.format(record))


def test_records_of_another_python_are_read(formatter):
    """A record that lacks an attribute, or has one more, as another Python pickles it, is whole."""
    record = make_record("x", taskName2="t")
    del record.relativeCreated
    assert fields_of(formatter.format(record)) == {MESSAGE: "x", "taskName2": "t"}


def test_process_may_be_unknown(formatter):
    """Without a process id (`logging.logProcesses` off) the line has none."""
    for unknown in (None, -1, "1"):
        record = make_record("x")
        record.process = unknown
        assert PID not in parse(formatter.format(record))
    record.process = 0
    assert parse(formatter.format(record))[PID] == 0


def test_older_name():
    """JsonLogFormatter is the older name of the same."""
    assert JsonLogFormatter is MozlogFormatter


class Stackdriver(MozlogFormatter):
    """As python-dockerflow's users write them: one more top-level key, one more field."""

    def convert_record(self, record):
        line = super().convert_record(record)
        line["severity"] = 200 / record.divisor
        line[FIELDS]["uid"] = None
        line[FIELDS]["where"] = ("a", 1)
        return line


def test_convert_record_may_be_overridden():
    """A subclass changes the line; its fields are made valid all the same."""
    line = parse(Stackdriver().format(make_record("x", divisor=2)))
    assert line["severity"] == 100
    assert line[FIELDS] == {MESSAGE: "x", "divisor": 2, "where": '["a", 1]'}


def test_mistake_in_convert_record_costs_nothing():
    """Where a subclass raises the record is written without it, and the line says so."""
    fields = fields_of(Stackdriver().format(make_record("x", divisor=0)))
    assert fields == {
        MESSAGE: "x",
        "divisor": 0,
        FORMATTER_ERROR: ["convert_record: ZeroDivisionError"],
    }


class Processing(MozlogFormatter):
    """As python-json-logger's users write them."""

    def process_log_record(self, log_data):
        log_data["half"] = log_data.pop("whole") / 2
        return log_data


def test_fields_may_be_processed():
    """`process_log_record` receives the fields and returns others."""
    assert fields_of(Processing().format(make_record("x", whole=3))) == {MESSAGE: "x", "half": 1.5}


def test_mistake_in_process_log_record_costs_nothing():
    """Where it raises the fields are written as they were, and the line says so."""
    fields = fields_of(Processing().format(make_record("x", whole="3")))
    assert fields == {
        MESSAGE: "x",
        "whole": "3",
        FORMATTER_ERROR: ["process_log_record: TypeError"],
    }


def test_traceback_may_be_formatted_otherwise():
    """`formatException` is a hook, as it is in the standard library."""

    class Short(MozlogFormatter):
        def formatException(self, ei):  # noqa: N802 - logging's name
            return f"short: {ei[0].__name__}"

    fields = fields_of(Short().format(make_record("x", exc_info=raised(ValueError()))))
    assert fields[TRACEBACK] == "short: ValueError"
