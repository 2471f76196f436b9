"""Both encoders write the same JSON, and refuse what is none."""

import json
import sys
from types import SimpleNamespace

import pytest

from dockerflow_django.logging import encoding

FIELDS = [
    {},
    {"text": 'a "quoted" \\ back\\slash \x00\n\x7f </script>'},
    {"numbers": 1, "float": -0.0, "big": 1e300, "small": 5e-324, "third": 1 / 3, "flag": True},
    {"scripts": "höhe 日本 \N{GRINNING FACE} \u2028"},
    {"huge": 2**70, "list": ["a", "b"]},
    {"null": ":null", "none": "null"},
    {"code": 200, "mentions": "\\ud800 is no character"},
]


@pytest.fixture(params=["orjson", "c", "python"])
def encode(request, monkeypatch):
    if request.param == "orjson":
        pytest.importorskip("orjson")
    else:
        monkeypatch.setitem(sys.modules, "orjson", None)
    if request.param == "python":
        monkeypatch.setattr(json, "encoder", SimpleNamespace())
    return encoding.best_encoder()


@pytest.mark.parametrize("fields", FIELDS)
def test_as_the_standard_library(encode, fields):
    """The text is ASCII and reads as the standard library's does."""
    text = encode(fields)
    assert text.isascii()
    assert json.loads(text) == fields
    assert repr(json.loads(text)) == repr(json.loads(json.dumps(fields)))


@pytest.mark.parametrize(
    "fields",
    [
        {"a": float("nan")},
        {"a": float("-inf")},
        {"a": "\ud800"},
        {"a": ["\ud800"]},
        {"\ud800": 1},
        {"a": 10**5000},
        {(1, 2): 1},
    ],
)
def test_refused(encode, fields):
    """What is no strict JSON raises, and is left to the careful way."""
    with pytest.raises((ValueError, TypeError)):
        encode(fields)


def test_no_space_is_wasted(encode):
    """Nothing stands between the parts of an object or a list."""
    assert encode({"a": 1, "b": ["c", "d"]}) == '{"a":1,"b":["c","d"]}'


def test_orjson_is_asked_first():
    """It writes exponents in its own way."""
    orjson = pytest.importorskip("orjson")
    fields = {"a": 1e-7}
    assert orjson.dumps(fields).decode() != json.dumps(fields, separators=(",", ":"))
    assert encoding.best_encoder()(fields) == orjson.dumps(fields).decode()


def test_the_encoder_in_c_is_asked(monkeypatch):
    """Where Python has one, as CPython, no other is made."""
    monkeypatch.setitem(sys.modules, "orjson", None)
    monkeypatch.setattr(json, "JSONEncoder", None)
    assert encoding.best_encoder()({"a": 1}) == '{"a":1}'
