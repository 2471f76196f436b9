"""What a project's filters and handlers raise does not reach the code that logs."""

import io
import logging
import sys
from collections.abc import Callable, Iterator

import pytest

from dockerflow_django.logging.delivery import deliver, log


class Memory(logging.Handler):
    """Keep the records; raise for those that say so, before anything guards it."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg == "boom %s":
            raise OSError("broker down")
        self.records.append(record)


@pytest.fixture
def memory() -> Iterator[Memory]:
    """Handle what is logged to the logger ``delivered``."""
    logger, memory = logging.getLogger("delivered"), Memory()
    logger.setLevel(logging.INFO)
    logger.addHandler(memory)
    yield memory
    logger.removeHandler(memory)
    logger.setLevel(logging.NOTSET)


def by_log(message: str) -> None:
    log(logging.getLogger("delivered"), logging.INFO, message, "it")


def by_record(message: str) -> None:
    record = logging.LogRecord("delivered", logging.INFO, __file__, 1, message, ("it",), None)
    deliver(logging.getLogger("delivered"), record)


WAYS = pytest.mark.parametrize("write", [by_log, by_record])
Write = Callable[[str], None]


@WAYS
def test_what_nothing_fails_at_is_handled(memory: Memory, write: Write) -> None:
    """As without a guard."""
    write("hello %s")
    (record,) = memory.records
    assert record.getMessage() == "hello it"


def test_the_caller_is_the_code_that_logs(memory: Memory) -> None:
    """Not the guard."""
    by_log("hello %s")
    assert memory.records[0].pathname == __file__


def test_what_no_level_wants_is_not_handled(memory: Memory) -> None:
    """The logger decides."""
    log(logging.getLogger("delivered"), logging.DEBUG, "hello %s", "it")
    assert memory.records == []


def test_an_exception_comes_along(memory: Memory) -> None:
    """The one that is being handled, where the caller says so."""
    try:
        {}["odd"]
    except KeyError:
        log(logging.getLogger("delivered"), logging.ERROR, "hello %s", "it", exc_info=True)
    assert memory.records[0].exc_info[0] is KeyError  # type: ignore[index]


@WAYS
def test_what_is_raised_is_told(
    memory: Memory, write: Write, capfd: pytest.CaptureFixture[str]
) -> None:
    """On standard error, with the message, as `logging` tells what a handler cannot write."""
    write("boom %s")
    told = capfd.readouterr().err
    assert "OSError: broker down" in told
    assert "Message: 'boom %s'\nArguments: ('it',)" in told


@WAYS
def test_what_is_raised_is_told_nobody(
    memory: Memory,
    write: Write,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where `logging` is told not to."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    write("boom %s")
    assert capfd.readouterr().err == ""


@WAYS
def test_what_is_raised_is_lost_if_standard_error_is_closed(
    memory: Memory, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is nobody to tell."""
    closed = io.StringIO()
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    write("boom %s")
    assert memory.records == []


@WAYS
def test_what_ends_the_process_does(memory: Memory, write: Write) -> None:
    """A handler that exits means it."""

    def leave(record: logging.LogRecord) -> None:
        raise SystemExit(3)

    memory.addFilter(leave)  # type: ignore[arg-type]
    with pytest.raises(SystemExit):
        write("hello %s")
