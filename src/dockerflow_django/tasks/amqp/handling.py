"""The thread that runs the project's function, one message after the other."""

import inspect
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context
from types import AsyncGeneratorType, CoroutineType, GeneratorType
from typing import Any

from asgiref.sync import async_to_sync
from django.db import close_old_connections, reset_queries

from dockerflow_django.context.requests import start_request
from dockerflow_django.heartbeat.execution import as_coroutine
from dockerflow_django.logging.delivery import log
from dockerflow_django.logging.description import describe
from dockerflow_django.tasks import headers
from dockerflow_django.tasks.amqp.actions import Action
from dockerflow_django.tasks.amqp.inbox import Delivery, Inbox
from dockerflow_django.tasks.amqp.options import Handler
from dockerflow_django.tasks.amqp.record import FAILURE, STATES, Record
from dockerflow_django.tasks.outcomes import Reject, Requeue

# How long a message that is given back stays here first, by how many were in a row.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0

# What is no result before it has run to its end, and where it keeps its frame until then.
_UNFINISHED = {
    AsyncGeneratorType: ("an asynchronous generator", "ag_frame"),
    CoroutineType: ("a coroutine", "cr_frame"),
    GeneratorType: ("a generator", "gi_frame"),
}

logger = logging.getLogger("dockerflow_django.tasks")


Post = Callable[[Action], None]


class HandlerThread:
    """Takes from the inbox, and posts what becomes of each message."""

    def __init__(
        self, handler: Handler, inbox: Inbox, post: Post, wake: Callable[[], None]
    ) -> None:
        self._handler = handler
        self._inbox = inbox
        self._post = post
        self._wake = wake
        self._requeued_in_a_row = 0

    def start(self) -> None:
        """Handle, until the inbox is closed; nobody waits for this thread to end."""
        threading.Thread(target=self._work, name="dockerflow-handler", daemon=True).start()

    def _work(self) -> None:
        while (delivery := self._inbox.take()) is not None:
            self._post(self._safely(delivery))
            self._inbox.done()
            self._wake()  # the message is no longer in hand: a consumer that stops waits for that

    def _safely(self, delivery: Delivery) -> Action:
        """Handle the message; an error of our own costs this message, and not the thread."""
        try:
            return Context().run(self._handle, delivery)
        except Exception as error:  # noqa: BLE001 - it is logged
            log(logger, logging.ERROR, "A message could not be handled", exc_info=True)
            record = Record(delivery, FAILURE, time.perf_counter(), describe(error))
            return Action(delivery, "" if delivery.verb else "reject", record)

    def _handle(self, delivery: Delivery) -> Action:
        message = delivery.message
        rid = message.headers.get(headers.RID) or message.properties.get("correlation_id")
        delivery.state = start_request(
            rid if isinstance(rid, str) else None,
            headers.parse_trace(message.headers.get(headers.TRACEPARENT)),
        )
        delivery.state.is_running = True
        message.channel = _Channel(delivery, self._post)
        _refresh_connections()
        try:
            error = self._call(message)
            ended = time.perf_counter()
        finally:
            delivery.state.is_running = False
            delivery.state.is_over = True
            _refresh_connections()
        return self._action(delivery, error, ended)

    def _call(self, message: Any) -> BaseException | None:
        """Call the function; whatever it raises, `SystemExit` too, is about this message alone."""
        try:
            body = _body_of(message)
        except BaseException as error:  # noqa: BLE001 - whatever a codec raises
            # Without the exception, which may hold the whole body.
            sentence = "The body of a message cannot be decoded: %s"
            log(logger, logging.ERROR, sentence, describe(error))
            return error
        try:
            result = self._handler(body, message)
            if inspect.isawaitable(result):
                result = async_to_sync(as_coroutine)(result)
            _refuse_unfinished(result)
        except (Requeue, Reject) as order:
            return order
        except BaseException as error:  # noqa: BLE001 - it is logged
            log(logger, logging.ERROR, "The handler of a message raised", exc_info=True)
            return error
        return None

    def _action(self, delivery: Delivery, error: BaseException | None, ended: float) -> Action:
        if error is None or isinstance(error, (Requeue, Reject)):
            text, verb = "", delivery.verb or _verb_of(error)
            state = STATES[verb]
        else:
            text, verb, state = describe(error), delivery.verb or "reject", FAILURE
        record = Record(delivery, state, ended, text)
        if delivery.verb:  # the handler has told the message itself
            return Action(delivery, "", record)
        delivery.verb = verb
        return Action(delivery, verb, record, self._pause_after(verb))

    def _pause_after(self, verb: str) -> float:
        """Return how long a message stays here before it is given back."""
        if verb != "requeue":
            self._requeued_in_a_row = 0
            return 0.0
        pause = FIRST_PAUSE_SECONDS * 2.0 ** min(self._requeued_in_a_row, 10)
        self._requeued_in_a_row += 1
        return min(pause, LONGEST_PAUSE_SECONDS)


def _refuse_unfinished(result: Any) -> None:
    name, frame = _UNFINISHED.get(type(result), ("", ""))
    if name and getattr(result, frame) is not None:
        raise TypeError(f"the handler returned {name} that has not run to its end")


def _verb_of(order: BaseException | None) -> str:
    if order is None:
        return "ack"
    return "requeue" if isinstance(order, Requeue) else "reject"


class _Channel:
    """Stands for the message's channel: what it is told is told in the channel's own thread.

    So `message.ack()`, `reject()` and `requeue()` may be called in the handler; the first counts.
    """

    no_ack_consumers = None

    def __init__(self, delivery: Delivery, post: Post) -> None:
        self._delivery = delivery
        self._post = post

    def basic_ack(self, delivery_tag: int, multiple: bool = False) -> None:
        """Acknowledge this message, and no other."""
        self._tell("ack")

    def basic_reject(self, delivery_tag: int, requeue: bool = False) -> None:
        """Refuse this message, or give it back at once."""
        self._tell("requeue" if requeue else "reject")

    def _tell(self, verb: str) -> None:
        if not self._delivery.verb:
            self._delivery.verb = verb
            self._post(Action(self._delivery, verb))


def _body_of(message: Any) -> Any:
    """Return the decoded body; raise what is wrong with it, in its compression say."""
    for _, error, _ in message.errors:
        raise error
    return message.payload


def _refresh_connections() -> None:
    """Do what Django does around a request: this thread's connections end when they are too old."""
    reset_queries()
    with suppress(Exception):  # a database that is down is the handler's to find
        close_old_connections()
