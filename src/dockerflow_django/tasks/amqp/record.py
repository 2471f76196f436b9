"""The one record of a message that was handled, on ``message.summary``."""

import logging
import time
from dataclasses import dataclass
from typing import TypedDict, cast

from dockerflow_django.context.requests import RequestState
from dockerflow_django.logging.delivery import log
from dockerflow_django.tasks.amqp.inbox import Delivery
from dockerflow_django.tasks.record import milliseconds

SUMMARY_LOGGER = "message.summary"
SUCCESS, REQUEUED, REJECTED = "SUCCESS", "REQUEUED", "REJECTED"
FAILURE, UNACKED = "FAILURE", "UNACKED"
# What a message was told, and what that makes of its handling.
STATES = {"ack": SUCCESS, "requeue": REQUEUED, "reject": REJECTED}
LEVELS = {
    SUCCESS: logging.INFO,
    REQUEUED: logging.WARNING,
    REJECTED: logging.WARNING,
    UNACKED: logging.WARNING,
    FAILURE: logging.ERROR,
}
# A message that is lost to us comes again in any case; that is no other end for these.
_FINAL = frozenset({FAILURE, REQUEUED})

logger = logging.getLogger(SUMMARY_LOGGER)


class Fields(TypedDict, total=False):
    """The extras of a record; `docs/reference/message-summary.rst` tells what each means."""

    db_queries: int
    exchange: str
    handler: str
    message_id: str
    queue: str
    redelivered: bool
    rid: str
    routing_key: str
    span_id: str
    state: str
    t: int
    t_db: int
    trace_id: str


@dataclass(frozen=True)
class Record:
    """How the handling ended; `error` says which exception ended it, if one did."""

    delivery: Delivery
    state: str
    ended: float
    error: str = ""

    def write(self, *, is_sent: bool) -> None:
        """Log it; if what became of the message could not be sent, that is its state."""
        state = self.state if is_sent or self.state in _FINAL else UNACKED
        request = self.delivery.state
        if request is not None and not self.delivery.is_recorded:
            self.delivery.is_recorded = True
            fields = _fields(self.delivery, request, self.ended)
            log(logger, LEVELS[state], "%s", self.error, extra={**fields, "state": state})


def write_abandoned(delivery: Delivery) -> None:
    """Log that the process ends before the handler has: the broker delivers the message again."""
    Record(delivery, UNACKED, time.perf_counter()).write(is_sent=False)


def _fields(delivery: Delivery, request: RequestState, ended: float) -> Fields:
    seconds = list(request.query_seconds)
    known = {name: value for name, value in delivery.known.items() if value not in (None, "")}
    fields: Fields = {
        "handler": delivery.handler,
        "queue": delivery.queue,
        **cast(Fields, known),
        "rid": request.rid,
        "t": milliseconds(ended - request.started),
        "db_queries": len(seconds),
        "t_db": milliseconds(sum(seconds)),
    }
    if request.trace is not None:
        fields["trace_id"], fields["span_id"] = request.trace
    return fields
