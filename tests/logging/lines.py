"""Make records, and read lines as strictly as the strictest reader."""

import json
import logging
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

SCHEMA = json.loads(Path(__file__).with_name("mozlog-schema.json").read_text())
_NO_CONSTANTS = {}  # NaN and Infinity: KeyError
VALIDATOR = Draft202012Validator(SCHEMA)


def make_record(msg="", args=(), *, level=logging.INFO, name="shop", exc_info=None, **extras):
    """Return a record as a logger makes it, with extras."""
    return logging.getLogger(name).makeRecord(
        name, level, "/app/shop.py", 7, msg, args, exc_info, "buy", extras
    )


def parse(line):
    """Return one line of mozlog, after checking it: strict JSON, valid, one line in ASCII."""
    assert line.isascii()
    assert "\n" not in line
    parsed = json.loads(
        line, parse_constant=_NO_CONSTANTS.__getitem__, object_pairs_hook=_without_duplicates
    )
    json.dumps(parsed, ensure_ascii=False).encode()  # refuses lone surrogates
    VALIDATOR.validate(parsed)
    return parsed


def fields_of(line):
    """Return the fields of one line of mozlog, after checking it."""
    return parse(line)["Fields"]


def raised(error):
    """Return the exc_info of an exception that has been raised."""
    with pytest.raises(type(error)) as caught:
        raise error
    return caught.type, caught.value, caught.value.__traceback__


def _without_duplicates(pairs):
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)
