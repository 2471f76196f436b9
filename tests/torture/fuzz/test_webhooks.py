"""Whatever a receiver of webhooks answers, the sender tells it apart, and sends on."""

import logging
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Self
from urllib.request import Request

import pytest
from hypothesis import strategies as st

from dockerflow_django.webhooks.delivery import Delivery, Problem
from dockerflow_django.webhooks.sender import WebhookSender
from tests.harness.closing import Closing
from tests.harness.ports import LOOPBACK
from tests.harness.receiver import Receiver
from tests.torture.figures import Figures
from tests.torture.fuzz.budget import fuzz

Sized = Callable[..., Any]

# More than any answer here takes, and no example of these waits so long.
SECONDS = 30.0

lines = st.binary(max_size=40).map(lambda raw: raw.translate(None, b"\r\n"))
statuses = st.integers(0, 1_200).map(b"%d".__mod__) | lines
heads = st.tuples(st.sampled_from([b"HTTP/1.1", b"HTTP/1.0", b"HTTP/0.9", b"ICY"]), statuses, lines)
fields = st.sampled_from(
    [
        *(b"Content-Length: 0", b"Content-Length: -1", b"Content-Length: x", b"Content-Length: 99"),
        *(
            b"Transfer-Encoding: chunked",
            b"Location: /other",
            b"Location: \xff://[",
            b"Set-Cookie:",
        ),
        *(b"Connection: close", b": none", b" folded", b"WWW-Authenticate: Basic", b"x" * 70_000),
    ]
)


@st.composite
def answers(draw: st.DrawFn) -> bytes:
    """Draw an answer, most of them of a good form in some of its parts."""
    if draw(st.integers(0, 4)) == 0:
        return draw(st.binary(max_size=100))
    head = [b" ".join(draw(heads)), *draw(st.lists(fields | lines, max_size=4))]
    return b"\r\n".join(head) + draw(st.sampled_from([b"\r\n\r\n", b""])) + draw(lines)


class Strange(Closing):
    """Answers each connection with `answer` as it is then, and closes it."""

    def __init__(self) -> None:
        self.answer = b""
        self._listener = socket.create_server((LOOPBACK, 0))
        self.url = f"http://{LOOPBACK}:{self._listener.getsockname()[1]}/hook"
        self._thread = threading.Thread(target=self._serve)

    def _serve(self) -> None:
        with suppress(OSError):  # it was shut down
            while True:
                connection, _ = self._listener.accept()
                with connection, suppress(OSError):
                    connection.recv(65536)
                    connection.sendall(self.answer)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(65536):
                        """Let the client be the one that leaves."""

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()


@pytest.fixture
def strange() -> Iterator[Strange]:
    with Strange() as receiver:
        yield receiver


def test_answers(strange: Strange, sized: Sized, figures: Figures) -> None:
    """A delivery has one outcome, which says nothing that the receiver has written."""

    def run(answer: bytes) -> None:
        strange.answer = answer
        problem = Delivery(Request(strange.url, data=b"{}")).run(SECONDS)
        assert isinstance(problem, Problem)
        assert "\n" not in problem.text
        assert "within" not in problem.text
        problem.text.encode("ascii")
        is_good = answer[:10] in {b"HTTP/1.1 2", b"HTTP/1.0 2"} and answer[10:13].strip().isdigit()
        assert problem.text or is_good or not answer.startswith(b"HTTP/1.1 ")

    figures.note("Fuzz", "webhook answers", **fuzz(sized(60, 3_000), run, answer=answers()))


def test_messages(sized: Sized, figures: Figures, caplog: pytest.LogCaptureFixture) -> None:
    """Whatever a message holds, it arrives, or a line says that it could not be sent."""
    texts = st.text(st.characters(exclude_categories=()), max_size=20)
    values = st.recursive(
        st.none() | st.floats() | st.integers() | texts,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    )
    with Receiver() as receiver:
        sender = WebhookSender(receiver.url, "hush")

        def run(payload: dict[str, Any]) -> None:
            receiver.posts.clear()
            caplog.clear()
            with caplog.at_level(logging.WARNING, "dockerflow_django.webhooks"):
                sender.send(payload)
                sender._queue.join()
            assert len(receiver.posts) + len(caplog.records) == 1

        done = fuzz(sized(40, 1_000), run, payload=st.dictionaries(texts, values, max_size=4))
    figures.note("Fuzz", "webhook messages", **done)
