"""What is told of exceptions."""

import io
import logging
import logging.handlers
import pickle
import queue
import traceback

import pytest
from django.utils.functional import SimpleLazyObject

from dockerflow_django.logging import ConsoleFormatter, safer_format_traceback
from dockerflow_django.logging.content import ERROR, MESSAGE, STACK, TRACEBACK
from dockerflow_django.logging.formatter import FORMATTER_ERROR
from dockerflow_django.logging.tracebacks import CUT, FOLDED_MARK, MAX_CHARACTERS, unfold
from tests.logging.lines import fields_of, make_record, parse, raised


def chained(error, *, cause=None, context=None):
    error.__cause__ = cause
    error.__context__ = context
    error.__suppress_context__ = cause is not None
    return error


def python_says(error):
    return "".join(traceback.format_exception(error)).removesuffix("\n")


@pytest.mark.parametrize(
    "error",
    [
        ValueError("x"),
        ValueError(),
        KeyError("two\nlines"),
        chained(ValueError("last"), cause=raised(OSError("first"))[1]),
        chained(ValueError("last"), context=raised(OSError("first"))[1]),
        ExceptionGroup("several", [ValueError("one"), ExceptionGroup("in", [OSError("two")])]),
        SyntaxError("bad", ("shop.py", 1, 2, "x = (", 1, 3)),
    ],
    ids=["message", "nothing", "two lines", "cause", "context", "group", "syntax"],
)
def test_the_form_is_pythons_own(error, formatter):
    """In a field, through the exported function, and in the console's indented lines."""
    error.add_note("a note")
    info = raised(error)
    assert safer_format_traceback(*info) == python_says(error)
    record = make_record("x", exc_info=info)
    assert fields_of(formatter.format(record))[TRACEBACK] == python_says(error)
    shown = ConsoleFormatter(color=False).format(record).splitlines()[1:]
    assert [line.removeprefix("    ") for line in shown] == python_says(error).splitlines()


def test_cause_and_context():
    """What led to an exception is told before it."""
    root = raised(KeyError("root"))[1]
    middle = raised(chained(OSError("middle"), context=root))[1]
    text = safer_format_traceback(*raised(chained(ValueError("last"), cause=middle)))
    places = [
        text.index(part)
        for part in (
            "KeyError: 'root'",
            "During handling of the above exception",
            "OSError: middle",
            "direct cause of the following exception",
            "ValueError: last",
        )
    ]
    assert places == sorted(places)


def test_suppressed_context_is_not_told():
    """`raise ... from None` is respected."""
    error = chained(ValueError("x"), context=KeyError("hidden"))
    error.__suppress_context__ = True
    assert "hidden" not in safer_format_traceback(*raised(error))


def test_circular_causes_end():
    """Two exceptions that are each other's cause are told once each."""
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    text = safer_format_traceback(type(one), one, None)
    assert text.count("ValueError: one") == text.count("ValueError: two") == 1


def test_endless_causes_are_cut():
    """Of a thousand causes the last are told."""
    error = None
    for number in range(1_000):
        error = chained(ValueError(number), cause=error)
    text = safer_format_traceback(type(error), error, None)
    assert text.startswith(CUT)
    assert "ValueError: 999" in text
    assert "ValueError: 980" in text
    assert "ValueError: 979" not in text


def test_notes():
    """Notes are told, whatever was put in their place."""
    error = ValueError("x")
    error.add_note("first\nline")
    error.add_note("second")
    text = safer_format_traceback(type(error), error, None)
    assert text.endswith("ValueError: x\nfirst\nline\nsecond")
    error.__notes__ = 5
    assert "ValueError: x\n" in safer_format_traceback(type(error), error, None)


def test_wide_and_deep_groups_are_cut():
    """Groups are told as wide and as deep as in the standard library."""
    wide = ExceptionGroup("wide", [ValueError(number) for number in range(20)])
    text = safer_format_traceback(type(wide), wide, None)
    assert "ValueError: 14" in text
    assert "ValueError: 15" not in text
    deep = ValueError("bottom")
    for _ in range(12):
        deep = ExceptionGroup("deep", [deep])
    assert "bottom" not in safer_format_traceback(type(deep), deep, None)


def test_nobody_writes_a_log_line(formatter):
    """A text that an attacker chose starts no line of its own, and commands no terminal."""
    evil = '\n{"Timestamp": 1}\n12:00:00.000 ERROR shop forged \x1b[2J'
    record = make_record("x", exc_info=raised(ValueError(evil)))
    assert "forged" in parse(formatter.format(record))["Fields"][TRACEBACK]
    lines = ConsoleFormatter(color=False).format(record).splitlines()
    assert all(line.startswith("    ") for line in lines[1:])
    assert "\x1b" not in "".join(lines)


def test_long_tracebacks_are_cut():
    """A text of megabytes is cut, and the traceback says so."""
    error = ExceptionGroup("x", [ValueError("y" * 30_000) for _ in range(15)])
    text = safer_format_traceback(type(error), error, None)
    assert text.endswith(CUT.strip())
    assert len(text) <= MAX_CHARACTERS + len(CUT)


def test_deep_recursion_is_short(formatter):
    """A RecursionError is told without a thousand frames."""

    def descend(depth):
        return descend(depth + 1)

    with pytest.raises(RecursionError) as caught:
        descend(0)
    info = (caught.type, caught.value, caught.value.__traceback__)
    fields = fields_of(formatter.format(make_record("x", exc_info=info)))
    assert fields[ERROR].startswith("RecursionError(")
    assert len(fields[TRACEBACK].splitlines()) < 500


class DecodeError(Exception):
    """What a library makes of it, as kombu does."""


BODY = b"card=4111111111111111 \xff"
REASON = (
    "UnicodeDecodeError: 'utf-8' codec can't decode byte 0xff in position 22: invalid start byte"
)


@pytest.mark.parametrize(
    ("make", "shown"),
    [
        (lambda error: error, REASON),
        (DecodeError, f"DecodeError: {REASON}"),
        (lambda error: DecodeError("body", error), f"DecodeError: {REASON}"),
        (lambda error: ExceptionGroup("many", [error]), f"ExceptionGroup: {REASON}"),
    ],
)
def test_what_cannot_be_decoded_is_not_shown(formatter, make, shown):
    """A UnicodeError's `repr` holds all of it, and so does that of what wraps it."""
    error = UnicodeDecodeError("utf-8", BODY, 22, 23, "invalid start byte")
    failure = make(error)
    record = make_record(exc_info=(type(failure), failure, None), problem=error)
    fields = parse(formatter.format(record))["Fields"]
    assert (fields[ERROR], fields["problem"]) == (shown, REASON)


def test_lazy_argument_is_not_evaluated(formatter):
    """An exception may have been given `request.user`, which is asked for its type alone."""
    asked = []
    error = ValueError("bad user", SimpleLazyObject(lambda: asked.append(1)))
    fields = parse(formatter.format(make_record(exc_info=(ValueError, error, None))))["Fields"]
    assert asked == []
    assert fields[ERROR].startswith("ValueError('bad user', <SimpleLazyObject:")
    assert fields[TRACEBACK].startswith("ValueError: ('bad user', <SimpleLazyObject:")


def test_no_exception():
    """Without an exception there is little to tell."""
    assert safer_format_traceback(None, None, None) == "NoneType: None"


def test_secrets_are_scrubbed(formatter):
    """Passwords in an exception's text reach neither error, traceback nor message."""
    error = raised(OSError("postgres://u:hunter2@db password=hunter2"))[1]
    info = (type(error), error, error.__traceback__)
    for record in (
        make_record("failed: %s", (error,), exc_info=info),
        make_record("failed: %s", (error,)),
        make_record("failed: %(e)s", ({"e": error},)),
        make_record(error),
        make_record("failed", error=error),
        make_record("failed", errors=[error]),
    ):
        line = formatter.format(record)
        assert "OSError" in line or "failed: postgres://" in line or "@db" in line
        assert "hunter2" not in line


@pytest.fixture
def queued(logger, formatter):
    """Return a function that sends a record through a queue, and returns its fields."""
    records = queue.SimpleQueue()
    handler = logging.handlers.QueueHandler(records)
    logger.addHandler(handler)

    def send(*args, **kwargs):
        logger.error(*args, **kwargs)
        return fields_of(formatter.format(pickle.loads(pickle.dumps(records.get_nowait()))))

    return send


def test_through_a_queue(queued):
    """QueueHandler folds the traceback into the message; it is taken out again (D28)."""
    cause = raised(KeyError("why"))[1]
    error = raised(chained(ValueError("two\nlines password=hunter2"), cause=cause))[1]
    fields = queued("it %s", "failed", exc_info=error, extra={"uid": "7"})
    assert fields[MESSAGE] == "it failed"
    assert fields[ERROR] == "ValueError: two"
    assert fields[TRACEBACK].startswith(f"{FOLDED_MARK}\n  File")
    assert "KeyError: 'why'" in fields[TRACEBACK]
    assert "hunter2" not in fields[TRACEBACK]
    assert fields["uid"] == "7"
    assert FORMATTER_ERROR not in fields


def test_through_a_queue_without_message(queued):
    """A traceback alone is taken for what it is."""
    fields = queued("", exc_info=raised(ValueError("x"))[1])
    assert MESSAGE not in fields
    assert fields[ERROR] == "ValueError: x"


def test_group_through_a_queue(queued):
    """Of a group the group's own line is the error."""
    group = raised(ExceptionGroup("several", [raised(ValueError("one"))[1]]))[1]
    fields = queued("failed", exc_info=group)
    assert fields[MESSAGE] == "failed"
    assert fields[ERROR] == "ExceptionGroup: several (1 sub-exception)"


def test_paths_beside_a_traceback_through_a_queue(formatter):
    """Those of a server's or Django's message lose their query string, others keep it."""
    folded = f'{FOLDED_MARK}\n  File "/app/shop.py", line 1\nValueError: /b?page=2'
    for name, path in (("django.request", "/a"), ("gunicorn.error", "/a"), ("shop", "/a?page=2")):
        fields = fields_of(formatter.format(make_record(f"Failed: /a?page=2\n{folded}", name=name)))
        assert fields == {
            MESSAGE: f"Failed: {path}",
            ERROR: "ValueError: /b?page=2",
            TRACEBACK: folded,
        }


def test_quoted_traceback_beside_an_exception(formatter):
    """If a record has an exception of its own, a traceback in its message is part of that."""
    text = f"a worker said:\n{FOLDED_MARK}\n  File ...\nOSError: x"
    fields = fields_of(formatter.format(make_record(text, exc_info=raised(ValueError("y")))))
    assert fields[MESSAGE] == text
    assert fields[ERROR] == "ValueError('y')"


def test_plain_message_through_a_queue(queued):
    """A record without exception has none afterwards, and keeps its extras."""
    assert queued("all %s", "well", extra={"uid": "7"}) == {MESSAGE: "all well", "uid": "7"}


def test_traceback_as_text(formatter):
    """A record that a socket has carried has its traceback as text."""
    record = make_record("failed", exc_info=raised(ValueError("token=hunter2"))[1])
    record.exc_text = "".join(traceback.format_exception(*raised(ValueError("token=hunter2"))))
    record.exc_info = None
    fields = fields_of(formatter.format(record))
    assert fields[MESSAGE] == "failed"
    assert fields[ERROR] == "ValueError: token=[redacted]"
    record.exc_text = "cut off"
    assert fields_of(formatter.format(record))[ERROR] == "cut off"


def test_talk_of_tracebacks_is_no_traceback(formatter):
    """A message that mentions the words is a message; nothing of it is lost."""
    text = "what is 'Traceback (most recent call last):' for?"
    assert unfold(text) is None
    assert fields_of(formatter.format(make_record(text))) == {MESSAGE: text}


def test_stack_and_exception_together(logger, formatter):
    """`stack_info` and an exception do not get in each other's way."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(formatter)
    logger.addHandler(handler)
    logger.error("x", exc_info=raised(ValueError())[1], stack_info=True)
    fields = fields_of(stream.getvalue().removesuffix("\n"))
    assert fields[STACK].startswith("Stack (most recent call last)")
    assert fields[ERROR] == "ValueError()"
