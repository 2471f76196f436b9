"""A record that is made quickly is the one that `logging` would make."""

import asyncio
import logging
import subprocess
import sys
import threading
import time
from typing import Any

import pytest

from dockerflow_django.logging import making
from dockerflow_django.logging.making import make_record

NAME = "request.summary"
TIMES = ("created", "msecs", "relativeCreated")


def loggings(level: int, message: str) -> dict[str, Any]:
    """Return the attributes of the record that `logging` makes."""
    file, function = "(unknown file)", "(unknown function)"
    return vars(logging.LogRecord(NAME, level, file, 0, message, (), None, function))


@pytest.fixture(autouse=True)
def made_before() -> None:
    """Have one made, of another thread, level and message, that the next may be a copy of."""
    making._first.clear()
    maker = threading.Thread(target=make_record, args=("other", logging.ERROR, "boom"))
    maker.start()
    maker.join()
    assert making._first["msg"] == "boom"


@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize("level", [logging.INFO, logging.WARNING, 35])
def test_attributes(level: int, is_first: bool) -> None:
    """All of them are there, in the order of `logging`, and none is another's."""
    if is_first:
        making._first.clear()
    before = loggings(level, "hello")
    made = vars(make_record(NAME, level, "hello"))
    after = loggings(level, "hello")
    assert list(made) == list(after)
    for name in TIMES:
        assert type(made.pop(name)) is float
        del after[name]
        if name != "msecs":
            assert before[name] <= vars(make_record(NAME, level, ""))[name] + 1e-3
    assert made == after


def test_times() -> None:
    """They agree with each other as those of `logging` do."""
    made, theirs = make_record(NAME, 20, ""), logging.LogRecord(NAME, 20, "", 0, "", (), None)
    assert 0 <= made.msecs < 1000
    assert made.msecs == int(made.msecs)
    assert made.msecs == pytest.approx(made.created % 1 * 1000, abs=1)
    started = made.created - made.relativeCreated / 1000
    assert started == pytest.approx(theirs.created - theirs.relativeCreated / 1000, abs=2e-3)


def test_times_of_a_later_record(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its milliseconds are those of its time, and it counts from the start of the process."""
    theirs = logging.LogRecord(NAME, 20, "", 0, "", (), None)
    later = time.time_ns() // 10**9 * 10**9 + 1_000_123_456_789
    monkeypatch.setattr(time, "time_ns", lambda: later)
    made = make_record(NAME, 20, "")
    assert made.created == later / 1e9
    assert made.msecs == 123
    started = theirs.created - theirs.relativeCreated / 1000
    assert made.created - made.relativeCreated / 1000 == pytest.approx(started, abs=2e-3)


def test_what_is_the_same_is_found_out_once() -> None:
    """The next record is a copy of the first, and not another one to copy."""
    first = dict(making._first)
    make_record(NAME, 20, "")
    assert making._first == first


def test_factory(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that the project has set is asked for what `logging` would ask it for."""

    class Record(logging.LogRecord):
        """A record of the project's own."""

    monkeypatch.setattr(logging, "_logRecordFactory", Record)
    made = make_record(NAME, 35, "hello")
    assert type(made) is Record
    attributes, theirs = vars(made), loggings(35, "hello")
    assert {k: v for k, v in attributes.items() if k not in TIMES} == {
        k: v for k, v in theirs.items() if k not in TIMES
    }


def test_factory_gets_all_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    """As `Logger.makeRecord` gives them: one may have no defaults for the last two."""
    asked = []

    def make(name, level, path, line, message, args, exc_info, func, sinfo):
        asked.append((name, level, path, line, message, args, exc_info, func, sinfo))
        return logging.LogRecord(name, level, path, line, message, args, exc_info, func, sinfo)

    monkeypatch.setattr(logging, "_logRecordFactory", make)
    make_record(NAME, 35, "hello")
    logging.getLogger("tests.making").makeRecord(
        NAME, 35, "(unknown file)", 0, "hello", (), None, "(unknown function)"
    )
    assert asked[0] == asked[1]


def test_factory_that_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    """It costs what it would add, and not the record, nor the response behind it."""

    def fails(*args):
        raise LookupError

    monkeypatch.setattr(logging, "_logRecordFactory", fails)
    made = make_record(NAME, 35, "hello")
    assert (type(made), made.getMessage()) == (logging.LogRecord, "hello")


def test_factory_that_was_set_before_the_import() -> None:
    """It adds no name to those of all records, and is not asked for a record without a name."""
    code = (
        "import logging\n"
        "def make(name, *args):\n"
        "    record = logging.LogRecord(name, *args)\n"
        "    record.traced = name.upper()\n"
        "    return record\n"
        "logging.setLogRecordFactory(make)\n"
        "from dockerflow_django.logging import MozlogFormatter\n"
        "from dockerflow_django.summary import extra_fields\n"
        "line = MozlogFormatter().format(make('a', 20, '', 0, 'x', (), None))\n"
        'assert \'"traced":"A"\' in line, line\n'
        "assert extra_fields._free('traced') == 'traced'\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


@pytest.fixture
def with_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have records name their task, as since Python 3.12."""
    monkeypatch.setattr(making, "_HAS_TASKS", True)
    monkeypatch.setattr(logging, "logAsyncioTasks", True, raising=False)


@pytest.mark.usefixtures("with_tasks")
async def test_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """A task's name is its own; what is made in a thread of its own has none."""
    task = asyncio.current_task()
    assert task is not None
    task.set_name("mine")
    assert vars(make_record(NAME, 20, ""))["taskName"] == "mine"
    without = await asyncio.to_thread(make_record, NAME, 20, "")
    assert vars(without)["taskName"] is None
    monkeypatch.setattr(logging, "logAsyncioTasks", False)
    assert vars(make_record(NAME, 20, ""))["taskName"] is None


@pytest.mark.parametrize("name", ["logThreads", "logMultiprocessing", "logProcesses"])
def test_what_logging_is_told_to_leave_out(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """https://docs.python.org/3/howto/logging.html#optimization."""
    monkeypatch.setattr(logging, name, False)
    making._first.clear()
    make_record(NAME, 20, "")
    made, theirs = vars(make_record(NAME, 20, "")), loggings(20, "")
    assert {k: v for k, v in made.items() if k not in TIMES} == {
        k: v for k, v in theirs.items() if k not in TIMES
    }


def test_fork() -> None:
    """A child's records have its own process, also if nothing tells it that it was forked."""
    code = (
        "import ctypes, os\n"
        "from dockerflow_django.logging.making import make_record\n"
        "make_record('a', 20, '')\n"
        "pid = ctypes.CDLL(None).fork()\n"
        "is_right = make_record('a', 20, '').process == os.getpid()\n"
        "if pid == 0:\n"
        "    os._exit(0 if is_right else 1)\n"
        "_, status = os.waitpid(pid, 0)\n"
        "raise SystemExit(os.waitstatus_to_exitcode(status) or not is_right)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
