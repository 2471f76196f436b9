"""Whatever is logged, one valid line is written: no exception, no lost record.

The inputs are those at which python-dockerflow, python-json-logger (with json, orjson, msgspec),
structlog or ecs-logging raise, and lose the record, or write what is no JSON.
"""

import collections
import datetime
import decimal
import enum
import json
import logging
import operator
import pathlib
import sys
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial

import pytest
from django.utils.functional import SimpleLazyObject, lazystr
from django.utils.safestring import SafeString

from dockerflow_django.logging import formatter as formatter_module
from dockerflow_django.logging.content import ARGUMENTS, ERROR, MESSAGE, TRACEBACK
from dockerflow_django.logging.envelope import PID, SEVERITY, TIMESTAMP, TYPE
from dockerflow_django.logging.formatter import FORMATTER_ERROR
from dockerflow_django.logging.sanitising import (
    MAX_FIELDS,
    MAX_ITEMS,
    MAX_LINE,
    MAX_SCRUBBED,
    MAX_TEXT,
)
from dockerflow_django.logging.scrubbing import REDACTED
from tests.logging.lines import fields_of, make_record, parse, raised


class Unprintable:
    def __repr__(self):
        raise RuntimeError("no")

    __str__ = __repr__


class Recursive:
    def __repr__(self):
        return repr(self)


class Evil(str):
    __slots__ = ()

    def __str__(self):
        raise RuntimeError("no")

    __repr__ = __str__


class BrokenMapping(collections.UserDict):
    def items(self):
        raise RuntimeError("no")


class Level(enum.IntEnum):
    HIGH = 3


@dataclass
class Locked:
    lock: object = field(default_factory=threading.Lock, repr=False)


FAILING_LAZY_OBJECT = SimpleLazyObject(partial(operator.truediv, 1, 0))


def circular_dict():
    value = {}
    value["self"] = value
    return value


def circular_list():
    value = []
    value.append(value)
    return value


def nested(depth):
    value = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        pytest.param(2**64, 2**64, id="int of 65 bits"),
        pytest.param(-(2**63) - 1, -(2**63) - 1, id="negative int of 65 bits"),
        pytest.param(SafeString("<b>"), "<b>", id="SafeString"),
        pytest.param(lazystr("lazy"), "'lazy'", id="lazy text"),
        pytest.param(Level.HIGH, 3, id="IntEnum"),
        pytest.param(Evil("plain"), "plain", id="str that cannot be printed"),
        pytest.param(Locked(), "Locked()", id="dataclass with a lock"),
        pytest.param(b"\xff", r"b'\xff'", id="bytes"),
        pytest.param({"a": {"b": None}}, '{"a": {"b": null}}', id="nested"),
        pytest.param({(1, 2): "x", b"k": "y"}, '{"(1, 2)": "x", "b\'k\'": "y"}', id="odd keys"),
        pytest.param({1: "a", "1": "b"}, '{"1": "a", "fields.1": "b"}', id="keys that are one"),
        pytest.param({"value": 1}, '{"value": 1}', id="a field object"),
        pytest.param([1, 2.5], [1, 2.5], id="numbers"),
        pytest.param([True, False], [True, False], id="booleans"),
        pytest.param([1, True], "[1, true]", id="number and boolean"),
        pytest.param(["a", None], '["a", null]', id="text and null"),
        pytest.param([["a"]], '[["a"]]', id="list of lists"),
        pytest.param([], "[]", id="empty list"),
        pytest.param({}, "{}", id="empty dict"),
        pytest.param(("a", "b"), ["a", "b"], id="tuple"),
        pytest.param({7}, [7], id="set"),
        pytest.param(collections.deque("a"), ["a"], id="deque"),
        pytest.param(uuid.UUID(int=1), str(uuid.UUID(int=1)), id="UUID"),
        pytest.param(decimal.Decimal("1.10"), "1.10", id="Decimal"),
        pytest.param(pathlib.PurePosixPath("/a"), "/a", id="path"),
        pytest.param(datetime.date(2026, 1, 2), "2026-01-02", id="date"),
        pytest.param(datetime.datetime(2026, 1, 2, 3, 4), "2026-01-02T03:04:00", id="datetime"),  # noqa: DTZ001 - naive ones are logged, too
        pytest.param(datetime.time(3, 4), "03:04:00", id="time"),
        pytest.param(FAILING_LAZY_OBJECT, None, id="lazy object that fails"),
        pytest.param(
            "\N{GRINNING FACE} höhe \u2028", "\N{GRINNING FACE} höhe \u2028", id="scripts"
        ),
        pytest.param(["höhe"], ["höhe"], id="other scripts in a list"),
        pytest.param("null", "null", id="the word null"),
        pytest.param(":null", ":null", id="what orjson writes for NaN"),
    ],
)
def test_shown(formatter, value, shown):
    """What can be shown is shown, and nothing is called replaced."""
    record = make_record("said", it=value, level=logging.WARNING)
    line = parse(formatter.format(record))
    fields = line["Fields"]
    assert line[SEVERITY] == 4
    assert fields[MESSAGE] == "said"
    assert fields["it"] == (shown if shown is not None else repr(value))
    assert FORMATTER_ERROR not in fields


@pytest.mark.parametrize(
    ("value", "shown", "note"),
    [
        pytest.param(float("nan"), "nan", "nan", id="NaN"),
        pytest.param(float("-inf"), "-inf", "-inf", id="infinity"),
        pytest.param([1.0, float("inf")], '[1.0, "inf"]', "inf", id="infinity in a list"),
        pytest.param(
            10**5000, "[integer of 16610 bits]", "[integer of 16610 bits]", id="5000 digits"
        ),
        pytest.param("a\ud800b", r"a\ud800b", "undecodable", id="lone surrogate"),
        pytest.param(["\ud800"], [r"\ud800"], "undecodable", id="lone surrogate in a list"),
        pytest.param(circular_dict(), '{"self": "[circular]"}', "[circular]", id="circular dict"),
        pytest.param(circular_list(), ["[circular]"], "[circular]", id="circular list"),
        pytest.param(
            Unprintable(),
            "<unprintable Unprintable: RuntimeError>",
            "unprintable",
            id="unprintable",
        ),
        pytest.param(
            Recursive(),
            "<unprintable Recursive: RecursionError>",
            "unprintable",
            id="recursive repr",
        ),
        pytest.param(
            BrokenMapping(a=1),
            "[RuntimeError]",
            "[RuntimeError]",
            id="mapping whose items() raises",
        ),
    ],
)
def test_replaced(formatter, value, shown, note):
    """What cannot be shown is replaced, and the line says so (D27)."""
    fields = fields_of(formatter.format(make_record("said", it=value, well=1)))
    assert fields == {MESSAGE: "said", "it": shown, "well": 1, FORMATTER_ERROR: [f"it: {note}"]}


@pytest.mark.parametrize("depth", [17, 300, 3_000, 100_000])
def test_too_deep(formatter, depth):
    """Nesting without end is cut off; the levels above are shown."""
    fields = fields_of(formatter.format(make_record("said", it=nested(depth))))
    assert fields["it"] == "[" * 16 + '"[too deep]"' + "]" * 16
    assert fields[FORMATTER_ERROR] == ["it: [too deep]"]


def test_too_long(formatter):
    """A text of a megabyte is cut in its middle, and the line tells by how much."""
    text = "begin" + "x" * 1_000_000 + "end"
    fields = fields_of(formatter.format(make_record(text, it=text, after=1)))
    missing = len(text) - MAX_TEXT
    for name in (MESSAGE, "it"):
        assert fields[name].startswith("begin")
        assert fields[name].endswith("end")
        assert f"[{missing} characters cut]" in fields[name]
        assert f"{name}: [{missing} characters cut]" in fields[FORMATTER_ERROR]
    assert fields["after"] == 1


def test_secrets_in_what_is_too_long(formatter):
    """The beginning and the end of a text that is cut are shown without their secrets."""
    text = "password=hunter2 " + "x\n" * MAX_SCRUBBED + "token=hunter2"
    shown = fields_of(formatter.format(make_record("said", it=text)))["it"]
    assert len(shown) <= MAX_TEXT + 100
    assert shown.startswith(f"password={REDACTED} x")
    assert shown.endswith(f"x\ntoken={REDACTED}")
    assert "hunter2" not in shown


def test_long_but_not_too_long(formatter):
    """A text up to the limit is whole, though it fills more than the limit when encoded."""
    text = "\x00" * MAX_TEXT
    assert fields_of(formatter.format(make_record(text))) == {MESSAGE: text}


def test_line_has_an_end(formatter):
    """Many long texts together are cut, too."""
    extras = {f"field{number}": "x" * MAX_TEXT for number in range(100)}
    line = formatter.format(make_record("said", **extras))
    assert len(line) < MAX_LINE + 100 * 100
    assert fields_of(line)[MESSAGE] == "said"
    assert len(fields_of(line)[FORMATTER_ERROR]) == 20


def test_too_many_fields(formatter):
    """Of ten thousand extras the first thousand are shown, and the line tells how many were not."""
    extras = {f"field{number}": "x" * 10 for number in range(10_000)}
    fields = fields_of(formatter.format(make_record("said", **extras)))
    assert fields[MESSAGE] == "said"
    assert fields[FORMATTER_ERROR] == ["9001 more fields"]
    assert len(fields) == MAX_FIELDS + 1


def test_too_many_items(formatter):
    """Of a long list the first thousand items are shown."""
    fields = fields_of(formatter.format(make_record(it=list(range(5_000)))))
    assert fields["it"] == list(range(MAX_ITEMS))
    assert fields[FORMATTER_ERROR] == [f"it: {5_000 - MAX_ITEMS} items cut"]


def test_few_objects_that_are_many(formatter):
    """A hundred lists that hold each other ten times over do not take for ever."""
    value = ["x"]
    for _ in range(15):
        value = [value] * 10
    fields = fields_of(formatter.format(make_record(it=value)))
    assert any("items cut" in note for note in fields[FORMATTER_ERROR])


def test_name_of_a_field(formatter):
    """Names of fields are text, decodable, and not without end; none is lost."""
    record = make_record("x")
    record.__dict__ |= {1: "one", (2,): "two", "\ud800": 3, "n" * 1000: 4, None: 5, Evil("e"): 6}
    assert fields_of(formatter.format(record)) == {
        MESSAGE: "x",
        "1": "one",
        "(2,)": "two",
        r"\ud800": 3,
        "n" * 256: 4,
        "None": 5,
        "e": 6,
    }


def test_surrogate_in_a_name_or_a_list(formatter):
    """A lone surrogate is found wherever it hides from the quick way."""
    assert fields_of(formatter.format(make_record(**{"\udc00": 1}))) == {r"\udc00": 1}
    fields = fields_of(formatter.format(make_record(n=1, it=["a", "\udc00"])))
    assert fields["it"] == ["a", r"\udc00"]


@pytest.mark.parametrize(
    ("msg", "args", "message"),
    [
        ("%d items", ("many",), "%d items"),
        ("%s %s", ("one",), "%s %s"),
        ("no place", ("for this",), "no place"),
        ("%(a)s", ({"b": 1},), "%(a)s"),
        ("%s", (Unprintable(),), "%s"),
        (Unprintable(), (), "<unprintable Unprintable: RuntimeError>"),
        (Evil("%s"), ("x",), "%s"),
    ],
)
def test_message_that_cannot_be_made(formatter, msg, args, message):
    """Wrong arguments do not cost the record: message and arguments are shown apart."""
    fields = fields_of(formatter.format(make_record(msg, args)))
    assert fields[MESSAGE] == message
    assert ARGUMENTS in fields
    assert fields[FORMATTER_ERROR][0].startswith(f"{MESSAGE}: ")


@pytest.mark.parametrize(
    ("msg", "message"),
    [
        (42, "42"),
        (None, "None"),
        (b"\xff", r"b'\xff'"),
        (["a"], "['a']"),
        (SafeString("<b>"), "<b>"),
        (lazystr("lazy"), "lazy"),
    ],
)
def test_message_that_is_no_text(formatter, msg, message):
    """A message may be any object, as in the standard library."""
    assert fields_of(formatter.format(make_record(msg))) == {MESSAGE: message}


def test_single_argument_that_is_no_tuple(formatter):
    """A record made by hand may have an argument instead of arguments."""
    record = make_record("%d items")
    record.args = 5
    assert fields_of(formatter.format(record)) == {MESSAGE: "5 items"}


@pytest.mark.parametrize(
    "created", [float("nan"), float("inf"), None, "now", -5, 1e300, 2**63 / 1e9]
)
def test_time_that_is_none(formatter, created):
    """A record without a time has the present one."""
    record = make_record("x")
    real = record.created
    record.created = created
    assert 0 <= parse(formatter.format(record))[TIMESTAMP] - int(real * 1e9) < 60e9


@pytest.mark.parametrize(
    ("attribute", "value", "key", "shown"),
    [
        ("name", "\ud800", TYPE, r"\ud800"),
        ("name", Evil("evil"), TYPE, "evil"),
        ("name", None, TYPE, "None"),
        ("name", ["list"], TYPE, "['list']"),
        ("levelno", "high", SEVERITY, 7),
        ("levelno", None, SEVERITY, 7),
        ("levelno", [], SEVERITY, 7),
        ("levelno", float("nan"), SEVERITY, 7),
        ("process", "x", PID, None),
        ("process", [], PID, None),
    ],
)
def test_envelope_of_a_hand_made_record(formatter, attribute, value, key, shown):
    """Odd attributes make an odd but valid envelope."""
    record = make_record("x")
    setattr(record, attribute, value)
    line = parse(formatter.format(record))
    assert line.get(key) == shown
    assert line["Fields"][MESSAGE] == "x"


def test_exception_that_cannot_be_shown(formatter):
    """An exception whose parts raise costs its traceback at most."""

    class UnkindError(Exception):
        @property
        def __cause__(self):
            raise RuntimeError("no")

    fields = fields_of(formatter.format(make_record("x", exc_info=raised(UnkindError("oh")))))
    assert "UnkindError('oh')" in fields[ERROR]
    assert TRACEBACK not in fields
    assert fields[FORMATTER_ERROR] == ["traceback: RuntimeError"]
    fields = fields_of(formatter.format(make_record("x", exc_info=(1,))))
    assert fields[FORMATTER_ERROR] == ["traceback: IndexError"]


def test_record_that_cannot_be_read(formatter):
    """From a record that refuses to be read what it says of itself is shown."""

    class Sealed(logging.LogRecord):
        def __getattribute__(self, name):
            if name == "exc_info":
                raise RuntimeError("no")
            return super().__getattribute__(name)

    record = Sealed("shop", logging.INFO, "/app/shop.py", 7, "hello", (), None)
    line = parse(formatter.format(record))
    assert (line[TYPE], line[SEVERITY]) == (formatter_module.__name__, 3)
    assert "hello" in line["Fields"][MESSAGE]
    assert line["Fields"][FORMATTER_ERROR][-1] == "record: RuntimeError"


def test_at_the_end_of_the_stack(formatter):
    """A record logged while the stack is nearly used up is written, as far as it can be shown."""
    lines = []

    def descend():
        try:
            descend()
        except RecursionError:
            lines.append(formatter.format(make_record("deep", it={"a": [1]})))
            raise

    with pytest.raises(RecursionError):
        descend()
    assert len(lines) > 10
    for line in lines:
        fields = fields_of(line)
        assert fields.get(MESSAGE) == "deep" or fields[FORMATTER_ERROR]


def test_lazy_object_is_not_evaluated(formatter):
    """`request.user` as an extra asks no database for the sake of a log line."""
    asked = []
    user = SimpleLazyObject(lambda: asked.append(1))
    assert "SimpleLazyObject" in fields_of(formatter.format(make_record(user=user)))["user"]
    assert asked == []


def test_from_eight_threads_at_once(formatter):
    """One formatter serves many threads, whatever they log."""
    shared = {"a": [1, {"b": None}]}

    def log(number):
        extras = {"n": number, "it": shared if number % 2 else "text"}
        record = make_record("%s", (number,), name=f"logger-{number % 50}", **extras)
        return number, formatter.format(record)

    sys_interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        with ThreadPoolExecutor(8) as pool:
            results = list(pool.map(log, range(2_000)))
    finally:
        sys.setswitchinterval(sys_interval)
    for number, line in results:
        fields = json.loads(line)["Fields"]
        assert fields["n"] == number
        assert fields[MESSAGE] == str(number)
        assert fields["it"] == ('{"a": [1, {"b": null}]}' if number % 2 else "text")
        assert FORMATTER_ERROR not in fields
