"""The one record of an execution of a background task, on the logger ``task.summary``."""

import logging
from typing import TypedDict

from dockerflow_django.context import current_rid
from dockerflow_django.context.tasks import TaskState
from dockerflow_django.logging.delivery import deliver
from dockerflow_django.logging.description import describe
from dockerflow_django.logging.making import make_record
from dockerflow_django.logging.sentry import keep_from_sentry

SUMMARY_LOGGER = "task.summary"

SUCCESS, RETRY, REVOKED = "SUCCESS", "RETRY", "REVOKED"
REJECTED, IGNORED = "REJECTED", "IGNORED"
FAILURE, LOST = "FAILURE", "LOST"
LEVELS = {
    SUCCESS: logging.INFO,
    RETRY: logging.WARNING,
    REVOKED: logging.WARNING,
    REJECTED: logging.WARNING,
    IGNORED: logging.WARNING,
    FAILURE: logging.ERROR,
    LOST: logging.ERROR,
}

logger = logging.getLogger(SUMMARY_LOGGER)


class Fields(TypedDict, total=False):
    """The extras of a record; `docs/reference/task-summary.rst` tells what each means."""

    db_queries: int
    queue: str
    retries: int
    rid: str
    routing_key: str
    span_id: str
    state: str
    t: int
    t_db: int
    task: str
    task_id: str
    trace_id: str


def fields_of(task: TaskState, seconds: float) -> Fields:
    """Return what this process knows of the task that it has run for so many seconds."""
    query_seconds = task.query_seconds
    fields: Fields = {
        "db_queries": len(query_seconds),
        "rid": current_rid() or task.request.rid,
        "t": milliseconds(seconds),
        "t_db": milliseconds(sum(query_seconds)),
        "task": task.name,
        "task_id": task.task_id,
    }
    if task.request.trace is not None:
        fields["trace_id"], fields["span_id"] = task.request.trace
    return fields


def milliseconds(seconds: float) -> int:
    """Round to whole milliseconds."""
    return round(seconds * 1000)


def is_wanted(state: str) -> bool:
    """Tell whether anybody reads a record of that state."""
    return logger.isEnabledFor(LEVELS[state])


def write(fields: Fields, error: BaseException | None = None) -> None:
    """Write the record; a failure says its exception's class and first line."""
    level = LEVELS[fields["state"]]
    message = describe(error) if error is not None and level >= logging.ERROR else ""
    # What `logger.log()` does, without a walk up the stack for the caller, which is this line.
    record = make_record(SUMMARY_LOGGER, level, message)
    record.__dict__.update(fields)
    keep_from_sentry(SUMMARY_LOGGER)
    deliver(logger, record)
