"""ConsoleFormatter writes lines for people."""

import io
import logging
import re
import sys

import pytest

from dockerflow_django import logging as logging_of_ours
from dockerflow_django.logging import ConsoleFormatter
from dockerflow_django.logging.console import SUMMARY_LOGGER
from tests.logging.lines import make_record, raised

DIM, RED, GREEN, YELLOW, CYAN = (f"\x1b[{number}m" for number in (2, 31, 32, 33, 36))
ESCAPE = re.compile("\x1b\\[\\d+m")
TIME = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} ")


def plain(record, **options):
    """Return a record as it is shown without colours, and without its time."""
    text = ConsoleFormatter(color=False, **options).format(record)
    assert TIME.match(text)
    return TIME.sub("", text)


def test_time_level_logger_rid_message_extras():
    """A line shows what a person looks for, in this order."""
    record = make_record("paid %s", ("all",), rid="0123456789abcdef", order=7, who="Bob B", no=None)
    assert plain(record) == 'INFO     shop 01234567 paid all order=7 who="Bob B"'


def test_time_as_asked():
    """`datefmt` gives the time another form."""
    text = ConsoleFormatter(datefmt="%Y", color=False).format(make_record("x"))
    assert re.match(r"^\d{4}\.\d{3} INFO", text)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("", '""'),
        ("a=b", '"a=b"'),
        ("a=höhe", '"a=höhe"'),
        ("X", "X"),
        ("it's", '"it\'s"'),
        ("höhe", "höhe"),
        (True, "true"),
        (1.5, "1.5"),
        (["a", "b"], '["a", "b"]'),
        ({"a": None}, r'"{\"a\": null}"'),
    ],
)
def test_values(value, shown):
    """A value is quoted only where it would be unclear where it ends."""
    assert plain(make_record("x", it=value)) == f"INFO     shop x it={shown}"


def test_summary():
    """Of a request's summary method, path, status and time are enough."""
    record = make_record(
        name=SUMMARY_LOGGER,
        agent="curl",
        errno=0,
        code=200,
        lang="de",
        method="GET",
        path="/path",
        rid="0123456789",
        t=12,
        route="path",
        size=5,
        uid="7",
    )
    assert plain(record) == "INFO     request.summary 01234567 GET /path 200 12ms uid=7"


def test_failed_summary():
    """The summary of a failure says what failed."""
    record = make_record(
        "ValueError: oh", name=SUMMARY_LOGGER, level=40, code=500, method="GET", path="/a\x1bb", t=3
    )
    assert plain(record) == r"ERROR    request.summary GET /a\x1bb 500 3ms ValueError: oh"


def test_summary_without_a_request_line():
    """What is not known of a request has a hyphen in its place."""
    assert plain(make_record(name=SUMMARY_LOGGER, code=400)) == "INFO     request.summary - - 400"


def test_attributes_that_a_record_lacks():
    """They are left out, where `fmt` asks for them."""
    assert plain(make_record("x"), fmt="%(nothing)s %(module)s") == "INFO     shop x module=shop"


def test_summary_logger_without_a_request():
    """A record of that logger that is no summary is shown as any other."""
    assert (
        plain(make_record("x", name=SUMMARY_LOGGER, size=1)) == "INFO     request.summary x size=1"
    )


def test_access_record():
    """A server's access record looks like a summary."""
    record = make_record(
        "%s %s %s %s %s", ("host", "GET", "/a?token=planted", "1.1", 404), name="uvicorn.access"
    )
    assert plain(record) == "INFO     uvicorn.access GET /a 404"


def test_exception():
    """A traceback follows, indented and scrubbed, and the error is not said twice."""
    record = make_record("oh", exc_info=raised(OSError("password=planted")))
    first, heading, *frames, error = plain(record).splitlines()
    assert first == "INFO     shop oh"
    assert heading == "    Traceback (most recent call last):"
    assert frames[0].startswith('      File "')
    assert error == "    OSError: password=[redacted]"


def test_error_without_traceback():
    """An extra called `error` is shown, as there is nothing else that tells it."""
    assert plain(make_record("x", error="mine")) == "INFO     shop x error=mine"


def test_traceback_without_error():
    """An extra called `traceback` is shown where a traceback would be."""
    assert plain(make_record("x", traceback="mine")) == "INFO     shop x\n    mine"


def test_stack():
    """`stack_info` is shown below the line."""
    record = make_record("x", error="mine")
    record.stack_info = "Stack:\n  here"
    assert plain(record) == "INFO     shop x error=mine\n    Stack:\n      here"


def test_what_was_replaced():
    """What could not be shown is named at the end."""
    record = make_record("%d", ("x",), n=float("nan"))
    assert plain(record) == 'INFO     shop %d args=["x"] n=nan msg: TypeError n: nan'


def test_nobody_else_starts_a_line_or_commands_the_terminal():
    """Control characters are escaped wherever they come from."""
    evil = "a\r\nINFO b\x1b[2J\x9b\u2028"
    record = make_record(evil, name=evil, level=20, rid="\n\x1b", **{evil: evil})
    record.levelname = evil
    record.exc_text = f"Traceback{evil}"
    lines = ConsoleFormatter(color=True).format(record).splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    assert not set(ESCAPE.sub("", "".join(lines))) & {"\x1b", "\x9b", "\r", "\u2028"}
    assert "INFO b" not in [line.strip() for line in lines[1:2]]


@pytest.mark.parametrize("level", [50, 45, 40, 35, 30, 25, 20, 15, 10, 5])
def test_levels_have_colours(level):
    """Colours add nothing but colours."""
    record = make_record("x", level=level, rid="abc", code=1)
    coloured = ConsoleFormatter(color=True).format(record)
    assert ESCAPE.sub("", coloured) == ConsoleFormatter(color=False).format(record)
    assert coloured.count("\x1b[") % 2 == 0


@pytest.mark.parametrize(
    ("level", "color"),
    [
        *((50, RED), (40, RED), (39, YELLOW), (30, YELLOW)),
        *((29, GREEN), (20, GREEN), (19, DIM), (10, DIM)),
    ],
)
def test_colour_of_a_level(level, color):
    """It is that of the level's name, or of the next lower one that has a name."""
    text = ConsoleFormatter(color=True).format(make_record("x", level=level))
    assert f" {color}{logging.getLevelName(level):8}\x1b[0m " in text


def test_colour_of_what_was_replaced():
    """It is that of a warning."""
    text = ConsoleFormatter(color=True).format(make_record("x", n=float("nan")))
    assert text.endswith(f" {YELLOW}n: nan\x1b[0m")


@pytest.mark.parametrize(
    ("code", "color"), [(101, CYAN), (200, GREEN), (302, CYAN), (404, YELLOW), (500, RED)]
)
def test_codes_have_colours(code, color):
    """The status of a request is coloured by its kind."""
    record = make_record(name=SUMMARY_LOGGER, code=code, method="GET", path="/")
    colours = ESCAPE.findall(ConsoleFormatter(color=True).format(record).partition("GET")[2])
    assert colours == [color, "\x1b[0m"]


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


@pytest.mark.parametrize(
    ("stdout", "environment", "color"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
        (io.StringIO(), {"FORCE_COLOR": "1"}, True),
        (io.StringIO(), {"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
        (None, {}, False),
    ],
)
def test_colours_on_a_terminal_only(monkeypatch, stdout, environment, color):
    """Colours are for terminals; NO_COLOR and FORCE_COLOR are obeyed."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(sys, "stdout", stdout)
    text = ConsoleFormatter().format(make_record("x"))
    assert ("\x1b" in text) is color


def test_any_encoding(monkeypatch):
    """What standard output cannot encode is escaped, so that no record is lost."""
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    text = ConsoleFormatter(color=False).format(make_record("höhe \ud800"))
    assert text.endswith(r"h\xf6he \ud800 msg: undecodable")
    sys.stdout.close()


def test_record_that_cannot_be_read():
    """From a record that refuses to be read what it says of itself is shown."""
    record = make_record("hello")
    record.created = "now"
    text = ConsoleFormatter(color=False).format(record)
    assert text == f"{record!r} (TypeError)"
    record.msg = "token=hunter2"
    assert "hunter2" not in ConsoleFormatter(color=False).format(record)
    assert logging.LogRecord.__repr__(record) == repr(record)


def test_nothing_else_is_imported_late() -> None:
    """The formatter for people is there when it is asked for, and a wrong name is an error."""
    assert logging_of_ours.ConsoleFormatter.__module__ == "dockerflow_django.logging.console"
    with pytest.raises(AttributeError, match="has no attribute 'ConsolFormatter'"):
        _ = logging_of_ours.ConsolFormatter
