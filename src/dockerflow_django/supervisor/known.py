"""What a supervisor knows of one worker: its line, its life, its questions, its last answers."""

import socket
import threading
from dataclasses import dataclass, field
from typing import Any

from dockerflow_django.supervisor.channel import Message, WorkerChannel


@dataclass(eq=False)
class OpenQuestion:
    """A question that has been sent, and what has come of its answer so far."""

    name: str
    asked_at: float
    answer: Message | None = None
    parts: list[bytes] = field(default_factory=list)
    is_over: threading.Event = field(default_factory=threading.Event)
    # For `probes`, so that an answer is read once.
    verdict: Any = None

    @property
    def body(self) -> bytes:
        """The body of the answer."""
        return b"".join(self.parts)


@dataclass(eq=False)
class Worker:
    """One worker as the supervisor knows it; `process` is its server's object, which has the pid.

    `born_at`, `spoke_at` and a question's `asked_at` are times of the pool's clock.
    """

    number: int
    end: socket.socket
    worker_end: socket.socket
    siblings: tuple[socket.socket, ...]
    born_at: float
    process: Any = None
    spoke_at: float | None = None
    serves: bool = False
    stops: bool = False
    problem: str = ""
    is_removed: bool = False
    has_ended_line: bool = False
    open: dict[int, OpenQuestion] = field(default_factory=dict)
    answers: dict[str, OpenQuestion] = field(default_factory=dict)

    @property
    def pid(self) -> int | None:
        """The worker's process id, as its server knows it."""
        pid: int | None = getattr(self.process, "pid", None)
        return pid

    @property
    def is_serving(self) -> bool:
        """Whether it serves and has not been told to stop."""
        return self.serves and not self.stops and not self.has_ended_line

    @property
    def unanswered_since(self) -> float | None:
        """When the oldest question without an answer was asked, or a word came after it."""
        if self.spoke_at is None or not self.open:
            return None
        return max(self.spoke_at, min(each.asked_at for each in self.open.values()))

    def enter(self) -> WorkerChannel:
        """Take this worker's end in its own, forked process; close those of the supervisor."""
        for end in (*self.siblings, self.end):
            end.close()
        return WorkerChannel(self.worker_end)
