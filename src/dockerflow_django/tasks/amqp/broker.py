"""The thread that owns the connection and its channel: it receives, acknowledges, reconnects.

Nobody else touches them, so a handler that takes an hour stops no heartbeat, and nothing that the
handler does waits for the broker.
"""

import logging
import random
import selectors
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from dockerflow_django.logging.delivery import log
from dockerflow_django.logging.description import describe
from dockerflow_django.tasks.amqp.actions import Action, Actions
from dockerflow_django.tasks.amqp.address import make_connection, shown
from dockerflow_django.tasks.amqp.errors import (
    RefusedError,
    is_present,
    is_strange,
    problem_of,
    refusal_of,
)
from dockerflow_django.tasks.amqp.inbox import Delivery, Inbox
from dockerflow_django.tasks.amqp.options import Options
from dockerflow_django.tasks.amqp.record import write_abandoned
from dockerflow_django.tasks.amqp.status import Status
from dockerflow_django.tasks.amqp.waking import WakeUp

# The loop turns this often at least; a message, an action or a signal wakes it at once.
TURN_SECONDS = 1.0
# For the rest of a message whose first bytes have come.
READ_SECONDS = 0.1
# For whatever asks the broker and waits for its answer: to declare, to consume, to close.
ANSWER_SECONDS = 5.0
PAUSES_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)

logger = logging.getLogger("dockerflow_django.tasks")


class Broker:
    """Runs in the thread that calls `run`; the other methods may be called from any."""

    def __init__(self, url: str, handler: str, options: Options, inbox: Inbox) -> None:
        self.status = Status()
        self._url = url
        self._handler = handler
        self._options = options
        self._inbox = inbox
        self._actions = Actions()
        self._wake_up = WakeUp()
        self._channel: Any = None
        self._epoch = 0
        self._attempts = 0
        self._is_stopping = False
        self._is_hurried = False

    def post(self, action: Action) -> None:
        """Have the broker told; never waits."""
        self._actions.put(action)
        self.wake()

    def wake(self) -> None:
        """Let the loop turn now."""
        self._wake_up.set_off()

    def stop(self, *, hurry: bool = False) -> None:
        """End when the message in hand is finished, or at once if in a hurry."""
        self._is_stopping = True
        self._is_hurried |= hurry
        self._inbox.close()
        self.wake()

    def run(self) -> None:
        """Consume until stopped; raise `RefusedError` if the broker refuses for good."""
        try:
            while not self._is_done():
                self._use_one_connection()
        finally:
            self._inbox.close()
            self._settle()
            if (delivery := self._inbox.in_hand) is not None:
                write_abandoned(delivery)
            self._wake_up.close()

    def _is_done(self) -> bool:
        # In this order: what is in hand is laid down after its action was posted.
        is_idle = self._inbox.in_hand is None
        return self._is_hurried or (self._is_stopping and is_idle and self._actions.is_empty)

    def _use_one_connection(self) -> None:
        """Go through the life of one connection, and the pause after it if it ends badly."""
        self.status.connecting()
        connection = make_connection(self._url)
        try:
            with self._connected(connection):
                self._consume(connection)
        except RefusedError:
            raise
        except Exception as error:  # noqa: BLE001 - what a broken peer sends may raise anything
            self._pause(connection, error)

    @contextmanager
    def _connected(self, connection: Any) -> Iterator[None]:
        with refusal_of("connect"):
            # Each host of the URL once: by itself Kombu retries for ever, and sleeps in between.
            connection.ensure_connection(
                max_retries=max(len(connection.alt) - 1, 0), interval_start=0, interval_step=0
            )
        # py-amqp waits without a bound for an answer; a socket with a timeout ends that.
        connection.connection.sock.settimeout(ANSWER_SECONDS)
        try:
            yield
            connection.close()
        finally:
            self._channel = None
            self._inbox.clear()
            self._actions.forget_delayed()
            connection.collect()

    def _consume(self, connection: Any) -> None:
        with refusal_of("declare"):
            consumer = self._declare(connection)
        self._attempts = 0
        self.status.consuming(connection.connection.heartbeat)
        sentence = "Consuming the queue %s at %s."
        log(logger, logging.INFO, sentence, self._options.queue, shown(connection))
        with selectors.DefaultSelector() as selector:
            selector.register(connection.connection.sock, selectors.EVENT_READ)
            selector.register(self._wake_up.reader, selectors.EVENT_READ)
            is_cancelled = False
            while not self._is_done():
                if self._is_stopping and not is_cancelled:
                    consumer.cancel()
                    is_cancelled = True
                self._turn(connection, selector)
        self._settle()

    def _declare(self, connection: Any) -> Any:
        from kombu.messaging import Consumer

        self._channel = channel = connection.channel()
        self._epoch += 1
        queue = self._options.declaration()(channel)
        queue.declare()
        consumer = Consumer(
            channel,
            [queue],
            auto_declare=False,
            on_message=self._receive,
            on_decode_error=lambda message, error: self._receive(message),
        )
        consumer.qos(prefetch_count=self._options.prefetch)
        consumer.consume()
        return consumer

    def _receive(self, message: Any) -> None:
        queue = self._options.queue
        self._inbox.put(Delivery(message, queue, self._handler, self._epoch))

    def _turn(self, connection: Any, selector: selectors.BaseSelector) -> None:
        sock = connection.connection.sock
        ready = [
            key.fileobj for key, _ in selector.select(self._actions.seconds_to_next(TURN_SECONDS))
        ]
        self._wake_up.clear()
        heard = sock in ready or bool(_pending(sock))
        if heard:
            with suppress(TimeoutError):
                connection.drain_events(timeout=READ_SECONDS)
        self._settle()
        connection.heartbeat_check()
        self.status.turned(heard=heard)

    def _settle(self) -> None:
        """Tell the broker what has become of messages, as far as that can be told."""
        for action in self._actions.due(pauses=not self._is_stopping):
            self._apply(action)

    def _apply(self, action: Action) -> None:
        try:
            action.delivery.is_sent = self._tell(action)
        except Exception:
            action.delivery.is_sent = False
            raise
        finally:
            if action.record is not None:
                action.record.write(is_sent=action.delivery.is_sent)

    def _tell(self, action: Action) -> bool:
        """Send it on the channel that the message came over, and on no other."""
        delivery = action.delivery
        if not action.verb:
            return delivery.is_sent
        if self._channel is None or delivery.epoch != self._epoch:
            return False
        if action.verb == "ack":
            self._channel.basic_ack(delivery.tag)
        else:
            self._channel.basic_reject(delivery.tag, requeue=action.verb == "requeue")
        return True

    def _pause(self, connection: Any, error: Exception) -> None:
        """Wait before the next attempt, longer each time; what is posted meanwhile is answered."""
        self.status.lost(problem_of(error), is_connected=is_present(error))
        pause = PAUSES_SECONDS[min(self._attempts, len(PAUSES_SECONDS) - 1)]
        pause *= random.uniform(0.75, 1.0)  # noqa: S311 - so that a fleet does not knock as one
        self._attempts += 1
        log(
            logger,
            logging.WARNING,
            "%s Trying again in %.1f s. (%s; %s)",
            problem_of(error),
            pause,
            shown(connection),
            describe(error),
            exc_info=error if is_strange(error) else None,
        )
        end = time.monotonic() + pause
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_up.reader, selectors.EVENT_READ)
            while not self._is_done() and (left := end - time.monotonic()) > 0:
                selector.select(left)
                self._wake_up.clear()
                self._settle()


def _pending(sock: Any) -> int:
    """Return how many bytes TLS has read already, which no selector sees."""
    pending = getattr(sock, "pending", None)
    return pending() if pending is not None else 0
