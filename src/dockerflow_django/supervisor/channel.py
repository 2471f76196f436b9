"""The line between a supervisor and one worker: questions one way, answers the other.

Both ends are one pair of sockets that keeps messages apart. A question needs no descriptor, so a
worker that has none left is still asked, and only the end of the line means that the supervisor has
ended. The thread that listens does nothing else, and answers a `PING` itself: so a worker is known
to run, however long its other answers take. Nothing here needs Django.

A message is a JSON object on one line, then the bytes of a body, if it has one. A long body comes
in parts, the last of which says so. What has no limit of its own belongs into the body.
"""

import _thread
import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from dockerflow_django.logging.scrubbing import scrub

# Well below the send buffer of a socket, so that one message always fits.
PART_BYTES = 32768
MESSAGE_BYTES = 2 * PART_BYTES
# A character takes at most twelve bytes in JSON.
PROBLEM_CHARACTERS = 2000

PING, METRICS, VERSION = "ping", "metrics", "version"

Message = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What goes back to an HTTP client."""

    status: int
    body: bytes
    content_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Question:
    """What the supervisor asks: a name, and what it adds."""

    id: int
    name: str
    arguments: Message


def pack(message: Message, body: bytes = b"") -> bytes:
    """Return a message as the bytes that are sent."""
    return json.dumps(message).encode() + b"\n" + body


def unpack(data: bytes) -> tuple[Message, bytes]:
    """Return the message and the body; raise `ValueError` if there is none."""
    head, _, body = data.partition(b"\n")
    message = json.loads(head)
    if not isinstance(message, dict):
        raise ValueError("a message is an object")  # noqa: TRY004
    return message, body


class WorkerChannel:
    """The worker's end."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end
        self._answer: Callable[[Question], None] | None = None
        self.is_draining = False
        self.is_stopping: Callable[[], bool] = lambda: False
        self.on_drain: Callable[[], None] = lambda: None

    def attach(self) -> None:
        """Answer pings from now on, and end this process when the supervisor ends.

        The thread is one of the operating system's, also if gevent patches this process later.
        """
        os.set_blocking(self._end.fileno(), True)
        _start_native_thread(self._listen)

    def serve_questions(self, answer: Callable[[Question], None]) -> None:
        """Say that the application serves, and pass every question on; `answer` may not block."""
        self._answer = answer
        self.notify({"serves": True})

    def notify(self, notification: Message) -> None:
        """Tell the supervisor something."""
        with suppress(OSError):
            os.write(self._end.fileno(), pack(notification))

    def report_failed_lifespan(self, text: str) -> None:
        """Tell the supervisor that the lifespan of an ASGI application has failed to start."""
        reason = f": {' '.join(scrub(text).split())}" if text else ""
        self.report_problem(f"the application's lifespan failed to start{reason}")

    def report_problem(self, text: str) -> None:
        """Tell the supervisor why this worker cannot serve; a text that is too long is cut."""
        is_long = len(text) > PROBLEM_CHARACTERS
        self.notify({"problem": f"{text[:PROBLEM_CHARACTERS]}…" if is_long else text})

    def report_stopping(self) -> None:
        """Tell the supervisor that this worker serves no longer, now and in each later answer."""
        self.is_stopping = lambda: True
        self.notify({"stops": True})

    def send_answer(self, question: Question, message: Message, body: bytes = b"") -> None:
        """Send the answer to a question, with where this worker is in its life.

        If it cannot be sent, because it is too long for one, say so: a question without an answer
        would stay open, and the last answer hold.
        """
        state = {"serves": self._answer is not None, "stops": self.is_stopping()}
        last = {**state, "id": question.id, "is_last": True}
        try:
            self._send_parts({**message, **last}, body)
        except OSError:
            with suppress(OSError):  # the supervisor has ended
                os.write(self._end.fileno(), pack({"status": 500, **last}))

    def close(self) -> None:
        """Close the line."""
        self._end.close()

    def _send_parts(self, last: Message, body: bytes) -> None:
        if len(pack(last)) > PART_BYTES:
            raise OSError(errno.EMSGSIZE, os.strerror(errno.EMSGSIZE))
        while len(body) > PART_BYTES:
            part, body = body[:PART_BYTES], body[PART_BYTES:]
            os.write(self._end.fileno(), pack({"id": last["id"]}, part))
        os.write(self._end.fileno(), pack(last, body))

    def _listen(self) -> None:
        while data := self._receive():
            message, _ = unpack(data)
            if message.pop("is_draining", False) and not self.is_draining:
                self.is_draining = True
                self.on_drain()
            if "id" in message:
                self._pass_on(Question(message.pop("id"), message.pop("name"), message))
        # The supervisor has ended, and nobody else would end this process. One that does not serve
        # yet has nothing to finish, and may lose a signal while it begins.
        is_beginning = self._answer is None
        os.kill(os.getpid(), signal.SIGKILL if is_beginning else signal.SIGTERM)

    def _receive(self) -> bytes:
        try:
            return os.read(self._end.fileno(), MESSAGE_BYTES)
        except OSError:
            return b""

    def _pass_on(self, question: Question) -> None:
        if self._answer is None or question.name == PING:
            self.send_answer(question, {})
        else:
            self._answer(question)


def _start_native_thread(function: Callable[[], None]) -> None:
    monkey = sys.modules.get("gevent.monkey")
    start = (
        _thread.start_new_thread
        if monkey is None
        else monkey.get_original("_thread", "start_new_thread")
    )
    start(function, ())
