"""What a parent process asks its workers, and how it never waits longer than it wants to.

For every question the parent makes a pair of sockets and passes one end on to the worker, so that
an answer that comes too late belongs to nobody and can be mistaken for no other. A worker that is
frozen, or too busy to answer, is one that has not answered. Nothing here needs Django.
"""

import contextlib
import json
import logging
import select
import socket
import threading
import time
from array import array
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

MESSAGE_BYTES = 65536
# Questions that may lie unread before a worker counts as one that does not answer: each holds a
# file descriptor.
BACKLOG_BYTES = 4096
IMPATIENT_SECONDS = 0.3

# The questions that are no endpoint's.
DRAIN = "drain"
METRICS = "metrics"

logger = logging.getLogger("dockerflow_django")

News = dict[str, Any]


@dataclass(frozen=True)
class Reply:
    """What a worker, or somebody for it, answers: as HTTP has it.

    One that `is_early` comes from a worker that has not loaded its application yet.
    """

    status: int
    body: bytes
    content_type: str = "application/json"
    is_early: bool = False


class Post:
    """The worker's end: where questions come from, and where news go to."""

    def __init__(self, end: socket.socket) -> None:
        self._end = end

    def take(self) -> None:
        """Be this process's line to its parent: from now on the parent speaks for it."""
        global _has_parent  # noqa: PLW0603
        _has_parent = True

    def questions(self) -> Iterator[tuple[str, socket.socket]]:
        """Give each question with the socket that its answer belongs in, until the parent ends."""
        while True:
            try:
                question, descriptors, _, _ = socket.recv_fds(self._end, MESSAGE_BYTES, 1)
            except OSError:
                break
            if not descriptors:
                break
            for descriptor in descriptors:
                yield question.decode(), socket.socket(fileno=descriptor)
        self.close()

    def close(self) -> None:
        """Close the line; what is told afterwards is lost."""
        self._end.close()

    def tell(self, news: News) -> None:
        """Tell the parent something; where it does not listen, the news is lost."""
        with contextlib.suppress(OSError):
            self._end.send(json.dumps(news).encode(), socket.MSG_DONTWAIT)


@dataclass(eq=False)
class Member:
    """One worker as the parent knows it; `process` is its server's object, which has the pid."""

    number: int
    end: socket.socket
    post: socket.socket
    others: tuple[socket.socket, ...]
    process: Any = None
    has_answered: bool = False

    @property
    def pid(self) -> int | None:
        """The worker's process id, as its server knows it."""
        pid: int | None = getattr(self.process, "pid", None)
        return pid

    def ask(self, question: str) -> socket.socket | None:
        """Send a question, and return the socket to read the answer from, None where it is full."""
        here, there = socket.socketpair()
        with there:
            passed = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array("i", [there.fileno()]))
            try:
                # `socket.send_fds` forgets its flags, and so would wait for a frozen worker.
                self.end.sendmsg([question.encode()], [passed], socket.MSG_DONTWAIT)
            except OSError:
                here.close()
                return None
        return here


class Crew:
    """The workers of this process, each with its own line to it."""

    def __init__(self, on_news: Callable[[Member, News], None]) -> None:
        self._lock = threading.Lock()
        self._members: list[Member] = []
        self._on_news = on_news

    @property
    def members(self) -> list[Member]:
        """The workers that have been hired and have not gone."""
        with self._lock:
            return list(self._members)

    def hire(self, number: int) -> Member:
        """Open the line to a worker that is about to be forked."""
        end, post = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BACKLOG_BYTES)
        with self._lock:
            others = tuple(member.end for member in self._members)
            member = Member(number, end, post, (*others, end))
            self._members.append(member)
        return member

    def forked(self, member: Member) -> None:
        """Close the worker's end in the parent, and listen to what the worker tells."""
        member.post.close()
        name = f"dockerflow-worker-{member.number}"
        threading.Thread(target=self._listen, args=(member,), name=name, daemon=True).start()

    def gone(self, member: Member) -> None:
        """Forget a worker that has ended."""
        with self._lock:
            if member in self._members:
                self._members.remove(member)
        with contextlib.suppress(OSError):
            member.end.shutdown(socket.SHUT_RDWR)
        member.end.close()
        member.post.close()

    def ask(
        self, question: str, seconds: float, impatient_with: Collection[Member] = ()
    ) -> dict[Member, Reply | None]:
        """Ask every worker at once; None stands for one that has not answered in time.

        That is so many `seconds`, and less for one that one is `impatient_with`.
        """
        begin = time.monotonic()
        asked = {member: member.ask(question) for member in self.members}
        ends = {
            member: begin
            + (min(seconds, IMPATIENT_SECONDS) if member in impatient_with else seconds)
            for member in asked
        }
        return {member: _read(asked[member], end) for member, end in ends.items()}

    def _listen(self, member: Member) -> None:
        while True:
            try:
                news = member.end.recv(MESSAGE_BYTES)
            except OSError:
                return
            if not news:
                return
            try:
                self._on_news(member, json.loads(news))
            except Exception:
                logger.exception("What a worker told could not be passed on")


def enter(member: Member) -> Post:
    """Take up a forked worker's post, without the parent's ends: else its end is not seen."""
    for end in member.others:
        end.close()
    return Post(member.post)


def has_parent() -> bool:
    """Tell whether this process is a worker that a parent speaks for."""
    return _has_parent


_has_parent = False


def reply(to: socket.socket, answer: Reply) -> None:
    """Send an answer; whoever has stopped waiting for it misses nothing."""
    fields = {key: value for key, value in vars(answer).items() if key != "body"}
    head = json.dumps(fields).encode()
    with to, contextlib.suppress(OSError):
        to.settimeout(5)
        to.sendall(head + b"\n" + answer.body)


def _read(answer: socket.socket | None, end: float) -> Reply | None:
    if answer is None:
        return None
    parts = []
    with answer:
        while True:
            remaining = end - time.monotonic()
            if remaining <= 0 and not select.select([answer], [], [], 0)[0]:
                return None
            answer.settimeout(max(remaining, 0.001))
            try:
                part = answer.recv(MESSAGE_BYTES)
            except OSError:
                return None
            if not part:
                break
            parts.append(part)
    head, _, body = b"".join(parts).partition(b"\n")
    try:
        return Reply(body=body, **json.loads(head))
    except (ValueError, TypeError):
        return None
