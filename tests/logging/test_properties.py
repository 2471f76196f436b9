"""Whatever a record holds, its line is strict JSON, valid mozlog, and nothing is lost."""

import logging

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dockerflow_django.logging import ConsoleFormatter, MozlogFormatter
from dockerflow_django.logging.content import ARGUMENTS, ERROR, MESSAGE, TRACEBACK
from dockerflow_django.logging.envelope import SEVERITY
from dockerflow_django.logging.formatter import FORMATTER_ERROR
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.logging.text import well_formed
from tests.logging.lines import fields_of, make_record, parse, raised

fast = settings(
    database=None,
    deadline=None,
    max_examples=150,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)

texts = st.text(st.characters(exclude_categories=()), max_size=30)
names = texts.filter(lambda name: name not in vars(logging.makeLogRecord({})))
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(2**63, 2**80),
    st.floats(),
    texts,
    st.binary(max_size=5),
    st.dates(),
    st.decimals(),
    st.uuids(),
    st.complex_numbers(),
    st.builds(object),
    st.builds(ValueError, texts),
)
keys = st.one_of(texts, st.integers(), st.none(), st.binary(max_size=3), st.tuples(texts))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(keys, inner, max_size=4),
        st.tuples(inner, inner),
        st.frozensets(st.one_of(texts, st.integers()), max_size=3),
    ),
    max_leaves=12,
)
extras = st.dictionaries(
    names.filter(lambda name: name not in {"message", "asctime", "request"}), values, max_size=6
)
messages = st.one_of(texts, values)
levels = st.one_of(st.integers(-5, 70), st.sampled_from([logging.INFO, logging.ERROR]))


def exceptions(depth=2):
    simple = st.builds(
        lambda kind, text: kind(text), st.sampled_from([ValueError, KeyError]), texts
    )
    if depth == 0:
        return simple
    inner = exceptions(depth - 1)

    @st.composite
    def linked(draw):
        error = draw(simple)
        error.__cause__ = draw(st.none() | inner)
        error.__context__ = draw(st.none() | inner)
        for note in draw(st.lists(texts, max_size=2)):
            error.add_note(note)
        return error

    groups = st.builds(ExceptionGroup, texts, st.lists(inner, min_size=1, max_size=3))
    return st.one_of(linked(), groups)


@fast
@given(extras=extras, message=messages, args=st.lists(values, max_size=2), level=levels)
def test_any_record(formatter, extras, message, args, level):
    """The line is valid; every extra that has a value is in it, and the message or its parts."""
    record = make_record(message, tuple(args), level=level)
    record.__dict__.update(extras)
    line = parse(formatter.format(record))
    fields = line["Fields"]
    assert 0 <= line[SEVERITY] <= 7
    for name, value in extras.items():
        shown = well_formed(name)
        if value is not None:
            assert shown in fields or f"fields.{shown}" in fields
        if type(value) is str and FORMATTER_ERROR not in fields:
            assert fields[shown] == value or fields[f"fields.{shown}"] == value
    if not isinstance(message, dict):
        try:
            text = record.getMessage()
        except (TypeError, ValueError):
            assert ARGUMENTS in fields
        else:
            assert fields.get(MESSAGE, "") in {well_formed(text), scrub(well_formed(text))}


@fast
@given(error=exceptions(), message=texts)
def test_any_exception(formatter, error, message):
    """An exception of any kind is told, in one valid line."""
    fields = fields_of(formatter.format(make_record(message, exc_info=raised(error))))
    assert type(error).__name__ in fields[ERROR]
    assert type(error).__name__ in fields[TRACEBACK]
    for note in getattr(error, "__notes__", ()):
        assert not note.isprintable() or scrub(note) in fields[TRACEBACK]


@pytest.mark.long
@fast
@given(attributes=st.dictionaries(st.sampled_from(list(vars(make_record()))), values))
def test_any_hand_made_record(formatter, attributes):
    """A record whose own attributes are anything is written, too."""
    parse(formatter.format(logging.makeLogRecord(attributes)))


@pytest.mark.long
@fast
@given(extras=extras, message=messages, level=levels)
def test_with_and_without_orjson(extras, message, level):
    """Whether orjson is installed makes no difference to what is said."""
    pytest.importorskip("orjson")
    record = make_record(message, level=level)
    record.__dict__.update(extras)
    with_orjson = MozlogFormatter()
    without = MozlogFormatter()
    without._quick = lambda record: None  # not even tried: the careful way
    assert parse(with_orjson.format(record)) == parse(without.format(record))


@pytest.mark.long
@fast
@given(extras=extras, message=messages, error=st.none() | exceptions())
def test_console(extras, message, error):
    """For people, too, every record is written, in one line of its own."""
    record = make_record(message, exc_info=raised(error) if error else None)
    record.__dict__.update(extras)
    lines = ConsoleFormatter(color=False).format(record).splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    "\n".join(lines).encode()
