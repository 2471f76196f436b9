"""Between the thread that receives messages and the one that handles them."""

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from dockerflow_django.context.requests import RequestState


@dataclass(eq=False)
class Delivery:
    """One message as it was delivered; `epoch` numbers the connection that it came over.

    `tag` and `known` are what it said then, whatever the handler does to the message.
    `state` is there as soon as the message is in hand. `verb` is what the message has been told so
    far, ``ack``, ``reject`` or ``requeue``; `is_sent` whether that could be sent; `is_recorded`
    whether the record has been written, which only the thread of the connection does.
    """

    message: Any
    queue: str
    handler: str
    epoch: int
    tag: Any = field(init=False)
    known: dict[str, Any] = field(init=False)
    state: RequestState | None = None
    verb: str = ""
    is_sent: bool = True
    is_recorded: bool = False

    def __post_init__(self) -> None:
        self.tag = self.message.delivery_tag
        info = self.message.delivery_info
        self.known = {
            "message_id": self.message.properties.get("message_id"),
            "exchange": info.get("exchange"),
            "routing_key": info.get("routing_key"),
            "redelivered": bool(info.get("redelivered")),
        }


class Inbox:
    """Holds what was delivered and not handled yet; one message at a time is in hand."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: deque[Delivery] = deque()
        self._is_closed = False
        self.in_hand: Delivery | None = None

    def put(self, delivery: Delivery) -> None:
        """Add a message, unless no more are taken: the broker gives it to somebody else."""
        with self._changed:
            if not self._is_closed:
                self._waiting.append(delivery)
                self._changed.notify()

    def take(self) -> Delivery | None:
        """Wait for the next message and take it in hand; None once no more are taken."""
        with self._changed:
            while not self._waiting and not self._is_closed:
                self._changed.wait()
            self.in_hand = None if self._is_closed else self._waiting.popleft()
            return self.in_hand

    def done(self) -> None:
        """Lay down the message that is in hand."""
        self.in_hand = None

    def clear(self) -> None:
        """Forget what waits: the connection that it came over is gone."""
        with self._changed:
            self._waiting.clear()

    def close(self) -> None:
        """Let no more be taken; what waits goes back to the queue with the channel."""
        with self._changed:
            self._is_closed = True
            self._waiting.clear()
            self._changed.notify_all()
