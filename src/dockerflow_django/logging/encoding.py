"""Encode a flat dict of fields as JSON in ASCII, as fast as this machine can.

ASCII, because a terminal or a file may have any encoding, and because U+2028 and its like end a
line for some readers. Whether orjson is installed makes a difference in speed only: it is asked
first, and if it would say something other than the standard library, that answers.
"""

import json
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, TypeAlias

Encoder: TypeAlias = Callable[[dict[str, Any]], str]

dump_strictly: Encoder = json.JSONEncoder(
    allow_nan=False, default=repr, separators=(",", ":")
).encode


def best_encoder() -> Encoder:
    """Return an encoder of strings, numbers and booleans that raises at what is no strict JSON."""
    encode = _standard_encoder()
    orjson = _orjson()
    return encode if orjson is None else _orjson_encoder(orjson.dumps, encode)


def has_orjson() -> bool:
    """Tell whether orjson is installed."""
    return _orjson() is not None


def _orjson() -> Any:
    try:
        import orjson
    except ImportError:
        return None
    return orjson


def _standard_encoder() -> Encoder:
    encode_chunks = _chunk_encoder()

    def encode(fields: dict[str, Any]) -> str:
        text = "".join(encode_chunks(fields, 0))
        if "\\ud" in text:
            _refuse_lone_surrogates(fields)
        return text

    return encode


def _chunk_encoder() -> Callable[[Any, int], Any]:
    """Return CPython's encoder, made once: `json.dumps` makes a new one at each call.

    Without `markers`, which detect cycles, one encoder serves all threads; flat fields have none.
    """
    make: Any = getattr(json.encoder, "c_make_encoder", None)
    if make is None:  # not CPython
        encode = json.JSONEncoder(allow_nan=False, separators=(",", ":")).encode
        return lambda fields, _level: encode(fields)
    encoder: Callable[[Any, int], Any] = make(
        None, None, encode_basestring_ascii, None, ":", ",", False, False, False
    )
    return encoder


def _refuse_lone_surrogates(fields: Mapping[str, Any]) -> None:
    """Raise UnicodeEncodeError at text that the standard library writes and others cannot read."""
    for name, value in fields.items():
        for text in (name, *(value if type(value) is list else (value,))):
            if type(text) is str:
                text.encode()


def _orjson_encoder(dumps: Callable[[Any], bytes], fallback: Encoder) -> Encoder:
    def encode(fields: dict[str, Any]) -> str:
        try:
            text = dumps(fields).decode()
        except TypeError:  # big integers, lone surrogates, names that are no text
            return fallback(fields)
        # null stands for NaN and the infinities, unless a text reads so.
        return text if text.isascii() and ":null" not in text else fallback(fields)

    return encode
