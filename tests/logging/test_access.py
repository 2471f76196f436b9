"""Servers' access records become fields, and what servers say of paths loses its secrets."""

import logging
from pathlib import Path

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.utils.log import log_response
from gunicorn.glogging import SafeAtoms
from rest_framework.request import Request

from dockerflow_django.logging.access import (
    AGENT,
    CODE,
    DURATION,
    MAX_AGENT,
    MAX_PATHS,
    METHOD,
    PATH,
    PROTOCOL,
    SIZE,
)
from dockerflow_django.logging.content import ERROR, MESSAGE, TRACEBACK
from dockerflow_django.logging.envelope import SEVERITY, TYPE
from dockerflow_django.logging.scrubbing import REDACTED
from tests.logging.lines import fields_of, make_record, parse, raised

pytestmark = [pytest.mark.usefixtures("urls")]


@pytest.fixture
def urls():
    with override_settings(ROOT_URLCONF="tests.logging.urls"):
        yield


GUNICORN = {
    "h": "192.0.2.1", "m": "GET", "U": "/h\xc3\xb6he/", "q": "token=planted", "H": "HTTP/1.1",
    "r": "GET /h%C3%B6he/?token=planted HTTP/1.1", "s": "200", "B": 512, "D": 12_345_400,
    "a": "curl/8", "f": "https://example.org/?token=planted",
}  # fmt: skip
GRANIAN = {
    "addr": "192.0.2.1", "time": "now", "dt_ms": 12.345, "status": 200, "path": "/höhe/",
    "query_string": "token=planted", "method": "GET", "scheme": "http", "protocol": "HTTP/1.1",
}  # fmt: skip


@pytest.mark.parametrize(
    ("name", "msg", "args", "expected"),
    [
        (
            "gunicorn.access",
            '%(h)s "%(r)s" %(s)s "%(f)s"',
            (SafeAtoms(GUNICORN),),
            {SIZE: 512, DURATION: 12_345, AGENT: "curl/8"},
        ),
        (
            "uvicorn.access",
            '%s - "%s %s HTTP/%s" %d',
            ("192.0.2.1:5", "GET", "/h%C3%B6he/?token=planted", "1.1", 200),
            {},
        ),
        ("granian.access", '%(addr)s "%(path)s"', (GRANIAN,), {DURATION: 12}),
        (
            "django.server",
            '"%s" %s %s',
            ("GET /h%C3%B6he/?token=planted HTTP/1.1", "200", "512"),
            {SIZE: 512},
        ),
    ],
)
def test_access_record(formatter, name, msg, args, expected):
    """An access record is its fields, without query string, address or message."""
    record = make_record(msg, args, name=name, rid="abc")
    line = parse(formatter.format(record))
    assert line[TYPE] == name
    assert line["Fields"] == {
        METHOD: "GET",
        PATH: "/höhe/",
        PROTOCOL: "HTTP/1.1",
        CODE: 200,
        "rid": "abc",
        **expected,
    }


def test_absent_values_of_gunicorn_are_absent(formatter):
    """Gunicorn's `-` and None are no values; an agent is not without end."""
    atoms = {**GUNICORN, "a": "-", "B": None}
    fields = fields_of(formatter.format(make_record("", (atoms,), name="gunicorn.access")))
    assert fields.keys() == {METHOD, PATH, PROTOCOL, CODE, DURATION}
    atoms = {**GUNICORN, "a": "", "B": None}
    fields = fields_of(formatter.format(make_record("", (atoms,), name="gunicorn.access")))
    assert AGENT not in fields
    atoms = {**GUNICORN, "a": "x" * 5_000}
    fields = fields_of(formatter.format(make_record("", (atoms,), name="gunicorn.access")))
    assert fields[AGENT] == "x" * MAX_AGENT


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        ("/h%C3%B6he/?token=planted", "/höhe/"),
        ("/accounts/reset/MQ/planted/", f"/accounts/reset/{REDACTED}/{REDACTED}/"),
    ],
)
def test_gunicorn_refusing_or_failing_by_itself(formatter, raw, path):
    """Where Gunicorn answers instead of the application it knows the raw path alone."""
    atoms = SafeAtoms({**GUNICORN, "U": None, "{raw_uri}e": raw, "s": "500", "B": 0})
    fields = fields_of(formatter.format(make_record("%(h)s", (atoms,), name="gunicorn.access")))
    assert (fields[PATH], fields[CODE]) == (path, 500)
    assert MESSAGE not in fields


def test_what_runserver_adds_is_no_field(formatter):
    """Of runserver's record neither the socket, nor the time, nor the status once more is shown."""
    record = make_record(
        '"%s" %s %s',
        ("GET /a HTTP/1.1", "404", "9"),
        name="django.server",
        request=object(),
        server_time="21/Nov/2026 09:27:23",
        status_code=404,
    )
    fields = fields_of(formatter.format(record))
    assert fields == {METHOD: "GET", PATH: "/a", PROTOCOL: "HTTP/1.1", CODE: 404, SIZE: 9}


@pytest.mark.parametrize(
    ("name", "msg", "args", "message"),
    [
        ("gunicorn.access", '%(r)s "%(s)s"', ({"r": "GET /a?token=planted HTTP/1.1", "s": "200"},),
         'GET /a HTTP/1.1 "200"'),
        ("uvicorn.access", "%s %s", ("x", "/a?token=planted"), "x /a"),
        ("django.server", '"%s" %s %s', ("get /a?token=planted", "400", "-"), '"get /a" 400 -'),
        ("django.server", "- Broken pipe from %s\n", (("192.0.2.1", 5),),
         "- Broken pipe from ('192.0.2.1', 5)\n"),
        ("uvicorn.error", '%s - "WebSocket %s" [accepted]', ("x", "/ws?token=planted"),
         'x - "WebSocket /ws" [accepted]'),
        ("gunicorn.error", "Error handling request %s %s", ("GET", "/a?token=planted"),
         "Error handling request GET /a"),
        ("gunicorn.error", "Error handling request %s", ("/accounts/reset/MQ/plan ted/",),
         f"Error handling request /accounts/reset/{REDACTED}/{REDACTED}/"),
        ("gunicorn.error", "really?yes /a", (), "really?yes /a"),
        ("gunicorn.error", "Worker exiting (pid: %(pid)s)", ({"pid": 5},),
         "Worker exiting (pid: 5)"),
        ("django.request", "Not Found: %s", ("/accounts/reset/MQ/planted/",),
         f"Not Found: /accounts/reset/{REDACTED}/{REDACTED}/"),
        ("django.security.csrf", "Forbidden (%s): %s", ("why?", "/accounts/confirm/planted/"),
         f"Forbidden (why?): /accounts/confirm/{REDACTED}/"),
    ],
)  # fmt: skip
def test_message_of_a_server(formatter, name, msg, args, message):
    """A record that is no access record stays a message, without secrets of its path."""
    assert fields_of(formatter.format(make_record(msg, args, name=name))) == {MESSAGE: message}


def test_uvicorn_does_not_say_it_twice(formatter):
    """The message once more, with colours, is no field."""
    record = make_record("Started [%d]", (5,), name="uvicorn.error", color_message="\x1b[36m%d")
    assert fields_of(formatter.format(record)) == {MESSAGE: "Started [5]"}


@pytest.mark.parametrize(
    ("msg", "args"),
    [
        ("Failed: %s", ("/accounts/reset/MQ/planted/",)),
        ("Failed: %s", ("/accounts/reset/MQ/planted",)),
        ("Failed: /accounts/reset/MQ/planted/", ()),
    ],
)
@override_settings(ROOT_URLCONF="tests.urls")
def test_urlconf_of_the_request_that_django_tells_of(formatter, msg, args):
    """A middleware may have chosen one for it, a tenant's."""
    request = RequestFactory().get("/accounts/reset/MQ/planted/")
    record = make_record(msg, args, name="django.request", request=request)
    assert "planted" in fields_of(formatter.format(record))[MESSAGE]
    request.urlconf = "tests.logging.urls"
    assert "planted" not in fields_of(formatter.format(record))[MESSAGE]


@pytest.mark.parametrize("code", [404, 500])
def test_django_request(logger, formatter, stream, code, monkeypatch):
    """Django's record of a failed request keeps status and traceback, not the request."""
    monkeypatch.setattr(logger, "name", "django.request")
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    request = RequestFactory().get("/accounts/reset/MQ/planted/?token=planted")
    response = HttpResponse(status=code)
    error = raised(ValueError("oh"))[1] if code == 500 else None
    log_response("Failed: %s", request.path, response=response, request=request,
                 logger=logger, exception=error)  # fmt: skip
    line = parse(stream.getvalue().removesuffix("\n"))
    assert line[SEVERITY] == (3 if error else 4)
    fields = line["Fields"]
    assert fields.pop("status_code") == code
    assert fields.pop(MESSAGE) == f"Failed: /accounts/reset/{REDACTED}/{REDACTED}/"
    assert fields.keys() == ({ERROR, TRACEBACK} if error else set())


def test_request_as_an_extra(formatter):
    """Django's request is not shown: its repr holds the query string."""
    request = RequestFactory().get("/?token=planted")
    assert fields_of(formatter.format(make_record("x", request=request))) == {MESSAGE: "x"}
    fields = fields_of(formatter.format(make_record("x", req=request)))
    assert "planted" not in fields["req"]


def test_request_of_a_framework_as_an_extra(formatter):
    """Neither is one that holds Django's: its repr has the path, and a token may be in that."""
    request = Request(RequestFactory().get("/reset/planted/"))
    assert "planted" in repr(request)
    assert fields_of(formatter.format(make_record("x", request=request))) == {MESSAGE: "x"}


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("GET /", "GET /"),
        (7, 7),
        ({"url": "/pay"}, '{"url": "/pay"}'),
        (["GET", "/pay"], ["GET", "/pay"]),
        (Path("/pay"), "/pay"),
    ],
)
def test_request_of_the_projects_own(formatter, value, shown):
    """An extra of that name is kept as any other."""
    fields = fields_of(formatter.format(make_record("x", request=value, deep={})))
    assert fields == {MESSAGE: "x", "request": shown, "deep": "{}"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("gunicorn.access", '192.0.2.1 - - [now] "GET {} HTTP/1.1" 200 5 "/?token=planted" "curl"'),
        ("uvicorn.access", '192.0.2.1:5 - "GET {} HTTP/1.1" 200'),
        ("granian.access", '[now] 192.0.2.1 - "GET {} HTTP/1.1" 200 1.234'),
        ("django.server", '"GET {} HTTP/1.1" 200 512'),
    ],
)  # fmt: skip
def test_access_record_through_a_queue(formatter, name, text):
    """A queue has made text of it; it is fields again, without address and secrets."""
    record = make_record(text.format("/accounts/reset/MQ/planted/?token=planted"), name=name)
    record.args = None
    assert fields_of(formatter.format(record)) == {
        METHOD: "GET",
        PATH: f"/accounts/reset/{REDACTED}/{REDACTED}/",
        PROTOCOL: "HTTP/1.1",
        CODE: 200,
    }


@pytest.mark.parametrize(
    ("name", "text", "shown"),
    [
        ("django.request", "Not Found: /accounts/reset/MQ/plan ted/?a=planted",
         f"Not Found: /accounts/reset/{REDACTED}/{REDACTED}/"),
        ("gunicorn.error", "Error handling request /accounts/confirm/planted/?a=planted",
         f"Error handling request /accounts/confirm/{REDACTED}/"),
        ("gunicorn.error", "Listening at: http://127.0.0.1:8000 (1234)",
         "Listening at: http://127.0.0.1:8000 (1234)"),
    ],
)  # fmt: skip
def test_paths_through_a_queue(formatter, name, text, shown):
    """What a server says of a path loses the same secrets as text."""
    assert fields_of(formatter.format(make_record(text, name=name))) == {MESSAGE: shown}


def test_more_paths_than_a_server_writes(formatter):
    """Only the first are looked up; the others lose their query strings and tokens."""
    first, token = ["/a"] * MAX_PATHS, "c5xq2v-8d5a2f0b0b1f4d6c9a3e7f1b2c4d6e8f"
    text = " ".join(
        [*(f"{path}?token=planted" for path in first), f"/accounts/confirm/{token}/?a=b"]
    )
    fields = fields_of(formatter.format(make_record(text, name="uvicorn.error")))
    assert fields[MESSAGE] == " ".join([*first, f"/accounts/confirm/{REDACTED}/"])
    text = " ".join([*(f"{path}?token=planted" for path in first), "/accounts/confirm/5/?a=b"])
    fields = fields_of(formatter.format(make_record(text, name="uvicorn.error")))
    assert fields[MESSAGE] == " ".join([*first, "/accounts/confirm/5/"])
