"""Make a summary's record: most of what `logging` finds out for each is the same in a process."""

import logging
import sys
import threading
import time
from contextlib import suppress
from typing import Any

from dockerflow_django._state import keeps, notice_fork

# What `logging` writes if it does not know the caller.
_NO_FILE, _NO_FUNCTION = ("(unknown ", "file)"), "(unknown function)"
# Objects of their own: only records that are made here have them, by themselves or by a factory.
OWN_FILE, FACTORYS_FILE = "".join(_NO_FILE), "".join(_NO_FILE)
# Since Python 3.12. To look for what is not there takes a third of the time of all this.
_HAS_TASKS = hasattr(logging, "logAsyncioTasks")

# The attributes of the first record that `logging` has made here.
_first: dict[str, Any] = {}


def make_record(name: str, level: int, message: str) -> logging.LogRecord:
    """Return the record that ``logging.getLogger(name).log(level, message)`` would make.

    It knows no caller. A factory that the project or a library has set makes it; without one, or
    if that raises, it is a copy of the first, with a name, a level, a message, a time, a thread and
    a task of its own.
    """
    factory = logging.getLogRecordFactory()
    if factory is not logging.LogRecord:
        # The response is ready: a factory that raises must not cost it. Other log calls tell.
        with suppress(Exception):
            return factory(name, level, FACTORYS_FILE, 0, message, (), None, _NO_FUNCTION, None)
    notice_fork()
    if not _first:
        record = logging.LogRecord(name, level, OWN_FILE, 0, message, (), None, _NO_FUNCTION)
        _first.update(vars(record))
        return record
    record = logging.LogRecord.__new__(logging.LogRecord)
    nanoseconds = time.time_ns()
    created = nanoseconds / 1e9
    values = record.__dict__
    values.update(_first)
    values["name"] = name
    values["msg"] = message
    values["levelno"] = level
    values["levelname"] = logging.getLevelName(level)
    values["created"] = created
    values["msecs"] = nanoseconds // 1_000_000 % 1000 + 0.0
    values["relativeCreated"] = _first["relativeCreated"] + (created - _first["created"]) * 1000
    if logging.logThreads:
        values["thread"] = threading.get_ident()
        values["threadName"] = threading.current_thread().name
    if _HAS_TASKS:  # pragma: newer Python
        values["taskName"] = _task_name()
    return record


keeps("_first")(_first.clear)


def _task_name() -> str | None:  # pragma: newer Python
    asyncio = sys.modules.get("asyncio") if vars(logging)["logAsyncioTasks"] else None
    try:
        name: str = asyncio.current_task().get_name()  # type: ignore[union-attr]
    except (AttributeError, RuntimeError):  # not imported, no task, no loop
        return None
    return name
