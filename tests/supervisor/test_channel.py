"""The worker's end of its line: the test is the supervisor."""

import os
import signal
import socket
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    PART_BYTES,
    Message,
    Question,
    WorkerChannel,
    pack,
    unpack,
)
from tests.harness.waiting import wait_until

killed: list[tuple[int, ...]] = []


class Line:
    """Both ends of a line, the worker's as its channel."""

    def __init__(self) -> None:
        self.end, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.end.settimeout(5)
        self.channel = WorkerChannel(worker_end)

    def ask(self, **message: Any) -> None:
        """Say something to the worker."""
        self.end.send(pack(message))

    def hear(self) -> tuple[Message, bytes]:
        """Return what the worker said next."""
        return unpack(self.end.recv(MESSAGE_BYTES))

    def listen(self) -> None:
        """Have the worker hear all that has been said, and then the end."""
        self.end.shutdown(socket.SHUT_WR)
        self.channel._listen()


@pytest.fixture
def line(monkeypatch: pytest.MonkeyPatch) -> Iterator[Line]:
    """Give a line; the signal with which a worker ends itself is kept."""
    line = Line()
    monkeypatch.setattr(os, "kill", lambda *told: killed.append(told))
    killed.clear()
    yield line
    line.end.close()
    line.channel.close()


def test_before_it_serves(line: Line) -> None:
    """Every question is answered, by saying that nothing is served."""
    line.ask(id=1, name="ping")
    line.ask(id=2, name="readiness", is_draining=False)
    line.listen()
    for number in (1, 2):
        state = {"serves": False, "stops": False, "id": number, "is_last": True}
        assert line.hear() == (state, b"")


def test_questions(line: Line) -> None:
    """One that serves says so, answers pings itself, and passes on the rest, with what is added."""
    asked: list[Question] = []
    line.channel.serve_questions(asked.append)
    line.channel.is_stopping = lambda: True
    line.ask(id=1, name="ping")
    line.ask(id=2, name="metrics", accept="a")
    line.listen()
    assert line.hear() == ({"serves": True}, b"")
    assert line.hear() == ({"serves": True, "stops": True, "id": 1, "is_last": True}, b"")
    assert asked == [Question(2, "metrics", {"accept": "a"})]
    assert not line.channel.is_draining


def test_end(line: Line) -> None:
    """One whose server has ended says so at once, and with each answer that it still gives."""
    line.channel.serve_questions(lambda question: None)
    line.channel.report_stopping()
    line.ask(id=1, name="ping")
    line.listen()
    assert line.hear() == ({"serves": True}, b"")
    assert line.hear() == ({"stops": True}, b"")
    assert line.hear() == ({"serves": True, "stops": True, "id": 1, "is_last": True}, b"")


def test_drain(line: Line) -> None:
    """A drain begins once, with the first word of it, whether it is a question or not."""
    told: list[bool] = []
    assert line.channel.is_draining is False
    line.channel.on_drain = lambda: told.append(line.channel.is_draining)
    line.ask(id=1, name="ping", is_draining=False)
    line.channel._pass_on = lambda question: told.append(line.channel.is_draining)  # type: ignore[method-assign]
    line.ask(is_draining=True)
    line.ask(id=2, name="ping", is_draining=True)
    line.listen()
    assert told == [False, True, True]


def test_drain_that_nobody_waits_for(line: Line) -> None:
    """Without anybody to tell it is noted."""
    line.ask(is_draining=True)
    line.listen()
    assert line.channel.is_draining is True


@pytest.mark.parametrize("count", [0, 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 1])
def test_parts(line: Line, count: int) -> None:
    """A long answer comes in parts that each fit, the last of which says so and has the state."""
    body = os.urandom(count)
    line.channel.send_answer(Question(7, "metrics", {}), {"status": 200}, body)
    line.end.settimeout(0)
    parts: list[bytes] = []
    message: Message = {}
    while not message.get("is_last"):
        message, part = line.hear()
        assert message["id"] == 7
        assert len(part) <= PART_BYTES
        parts.append(part)
    assert message == {"status": 200, "serves": False, "stops": False, "id": 7, "is_last": True}
    assert b"".join(parts) == body
    assert len(parts) == max(1, -(-count // PART_BYTES))


@pytest.mark.parametrize("more", [0, 1])
def test_message_as_long_as_it_may_be(line: Line, more: int) -> None:
    """It is sent; a longer one is replaced by a short one, which has the state."""
    state = {"serves": False, "stops": False, "id": 7, "is_last": True}
    room = PART_BYTES - len(pack({"words": "", **state}))
    words = (room + more) * "x"
    line.channel.send_answer(Question(7, "readiness", {}), {"words": words})
    said = {"status": 500} if more else {"words": words}
    assert line.hear() == ({**said, **state}, b"")


def test_line_that_takes_no_more_at_once(line: Line) -> None:
    """An answer whose part does not fit into the line's buffer is replaced by a short one."""
    line.channel._end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, PART_BYTES // 4)
    line.channel.send_answer(Question(7, "readiness", {}), {"outcome": "passed"}, PART_BYTES * b"x")
    state = {"serves": False, "stops": False, "id": 7, "is_last": True}
    assert line.hear() == ({"status": 500, **state}, b"")


@pytest.mark.parametrize(
    ("text", "more"),
    [
        ("", ""),
        ("no\n  brain ", ": no brain"),
        ("no postgres://u:s3cret@db/x", ": no postgres://[redacted]@db/x"),
    ],
)
def test_failed_lifespan(line: Line, text: str, more: str) -> None:
    """The application's own words are told on one line, without secrets, if it has any."""
    line.channel.report_failed_lifespan(text)
    problem = f"the application's lifespan failed to start{more}"
    assert line.hear() == ({"problem": problem}, b"")


@pytest.mark.parametrize(("count", "cut"), [(2000, ""), (2001, "…"), (1_000_000, "…")])
def test_long_problem(line: Line, count: int, cut: str) -> None:
    """Why a worker cannot serve is told, if not always in whole."""
    line.channel.report_problem(count * "\N{BRAIN}")
    assert line.hear() == ({"problem": 2000 * "\N{BRAIN}" + cut}, b"")


def test_end_of_the_supervisor(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker ends itself once, as if it were told to, and speaks to nobody any more."""
    monkeypatch.delitem(sys.modules, "gevent.monkey", raising=False)  # most workers have none
    line.channel.serve_questions(lambda _: None)
    line.channel.attach()
    assert os.get_blocking(line.channel._end.fileno())
    line.end.close()
    wait_until(lambda: killed)
    assert killed == [(os.getpid(), signal.SIGTERM)]
    line.channel.notify({})
    line.channel.send_answer(Question(1, "ping", {}), {}, b"")


def test_end_of_the_supervisor_while_a_worker_begins(line: Line) -> None:
    """It has nothing to finish, and might lose a signal that asks it to end."""
    line.listen()
    assert killed == [(os.getpid(), signal.SIGKILL)]


def test_line_that_cannot_be_read(line: Line) -> None:
    """It has ended."""
    with socket.socket() as unconnected:
        WorkerChannel(unconnected)._listen()
    assert killed == [(os.getpid(), signal.SIGKILL)]


@pytest.mark.parametrize("data", [b"nonsense", b"[]\n", b"\xff\n", b""])
def test_no_message(data: bytes) -> None:
    """What is no object on a line of its own is none."""
    with pytest.raises(ValueError, match=r"."):
        unpack(data)
    assert unpack(pack({"a": 1}, b"b\nc")) == ({"a": 1}, b"b\nc")
