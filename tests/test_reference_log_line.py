"""The reference of the log line says what the code does."""

import enum
import logging

import pytest

from dockerflow_django.logging import MozlogFormatter, console, content, envelope, sanitising
from dockerflow_django.logging.filters import RID
from dockerflow_django.logging.formatter import DEFAULT_LOGGER_NAME, FORMATTER_ERROR
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.logging.secret_names import ALONE, ANYWHERE, holds_secret
from tests.documents import ROOT, tables_in
from tests.logging.lines import fields_of, make_record

REFERENCE = ROOT / "docs" / "reference" / "log-line.rst"
ENVELOPE, FIELDS, _VALUES, HOSTILE, LIMITS, NAMES, FORMS = tables_in(REFERENCE)
LEVELS = tables_in(ROOT / "docs" / "howto" / "syslog-and-loki.rst")[0]


def test_envelope():
    """Each key of a line has a row, in their order, and the default name is told."""
    keys = ("TIMESTAMP", "TYPE", "LOGGER", "HOSTNAME", "ENV_VERSION", "SEVERITY", "PID", "FIELDS")
    assert [row[0] for row in ENVELOPE] == [getattr(envelope, key) for key in keys]
    (said,) = (row[2] for row in ENVELOPE if row[0] == envelope.LOGGER)
    assert f'"{DEFAULT_LOGGER_NAME}"' in said


def test_fields():
    """Each name that the formatter itself uses has a row."""
    names = [content.MESSAGE, content.ARGUMENTS, content.ERROR, content.TRACEBACK, content.STACK]
    assert [row[0] for row in FIELDS] == [*names, RID, FORMATTER_ERROR]


def test_secrets():
    """Each example of a secret is hidden, and each word that is told is one, and the other way."""
    for _, example in FORMS:
        assert "hunter2" in example
        assert "hunter2" not in scrub(example), example
    anywhere, alone, keys, _ = (row[1] for row in NAMES)
    assert anywhere.split(", ") == [_plain(word) for word in ANYWHERE]
    assert alone.split(", ") == [_plain(word) for word in ALONE]
    assert all(holds_secret(word) for word in keys.partition(" and ")[0].split(", "))


def _plain(word):
    return word if word.startswith("sess") else word.replace("_", "")


def test_limits():
    """Each limit is the constant."""
    names = ("TEXT", "LINE", "NAME", "FIELDS", "ITEMS", "NODES", "DEPTH", "NOTES")
    limits = [getattr(sanitising, f"MAX_{name}") for name in names]
    assert [row[1] for row in LIMITS] == [f"{limit:,}" for limit in limits]


def test_severities():
    """Python's levels and syslog's numbers are those of the formatter."""
    told = {getattr(logging, row[0]): int(row[1]) for row in LEVELS}
    assert told == MozlogFormatter.SYSLOG_LEVEL_MAP


class Colour(enum.StrEnum):
    RED = "red"


class Unprintable:
    def __repr__(self):
        raise RuntimeError


circular = []
circular.append(circular)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (circular, sanitising.CIRCULAR),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**5000, "[integer of 16610 bits]"),
        ("\ud800", r"\ud800"),
        (Unprintable(), "<unprintable Unprintable: RuntimeError>"),
        ("x" * 40_000, "[7232 characters cut]"),
        (Colour.RED, "red"),
    ],
    ids=["circular", "nan", "inf", "integer", "surrogate", "unprintable", "long", "enumeration"],
)
def test_examples(value, shown):
    """What the tables show in place of such values is what a line holds."""
    assert shown in fields_of(MozlogFormatter().format(make_record(it=value)))["it"]
    told = "\n".join(" ".join(row) for row in [*HOSTILE, ["red"]])
    assert shown.replace("Unprintable", "Order") in told


def test_digits_of_the_request_id():
    """The console shows as many as is told."""
    assert f"the first {console._RID_LENGTH} digits" in REFERENCE.read_text("utf-8")
