"""The client sends any bytes, and tells what came back of them."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.harness import http
from tests.harness.ports import LOOPBACK

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-One: 1\r\n\r\nok"


@contextmanager
def answering(*answers: bytes, reset: bool = False) -> Iterator[tuple[http.Address, list[bytes]]]:
    """Take one connection, send one of ``answers`` after each request, keep what was asked."""
    asked: list[bytes] = []
    with socket.create_server((LOOPBACK, 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                for given in answers:
                    asked.append(connection.recv(65536))
                    connection.sendall(given)
                if not reset:
                    asked.append(connection.recv(65536))

        thread = threading.Thread(target=answer)
        thread.start()
        yield listener.getsockname(), asked
        thread.join(5)


def test_answer_has_all_that_came():
    """An answer has status, headers, body, seconds, and is complete."""
    with answering(OK) as (address, _):
        answer = http.request(address)
    assert (answer.status, answer.body, answer.complete) == (200, b"ok", True)
    assert answer.headers["x-one"] == "1"
    assert 0 < answer.seconds < 5


def test_request_is_sent_as_given():
    """Method, path, host, headers and body go out byte by byte as they were given."""
    with answering(OK) as (address, asked):
        http.request(
            address, "ODD", b"/\xff/%ff", host="other.example", headers={"X": b"\xe9"}, body=b"abc"
        )
    assert asked[0] == (
        b"ODD /\xff/%ff HTTP/1.1\r\nHost: other.example\r\nConnection: close\r\n"
        b"X: \xe9\r\nContent-Length: 3\r\n\r\nabc"
    )


def test_bytes_as_they_come():
    """What has come can be read before it is an answer; its end is an error."""
    with answering(OK) as (address, _), http.Connection(address) as connection:
        connection.send()
        first = connection.receive()
        assert first
        assert OK.startswith(first)
    with answering(b"", reset=True) as (address, _), http.Connection(address) as connection:
        connection.send()
        with pytest.raises(ConnectionError):
            connection.receive()


def test_json():
    """A JSON body is decoded on demand."""
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n" + b'{"a":1}') as (address, _):
        assert http.request(address).json() == {"a": 1}


def test_connection_is_kept():
    """Several requests go over one connection."""
    with answering(OK, OK) as (address, asked), http.Connection(address) as connection:
        assert connection.request().status == 200
        assert connection.request("GET", "/two").status == 200
    assert [line.split(b" ")[1] for line in asked if line] == [b"/", b"/two"]


def test_pipelined_answers_are_read_in_order():
    """Answers that arrive in one packet are told apart, HEAD's without a body included."""
    head = OK.removesuffix(b"ok")
    second = b"HTTP/1.1 404 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n"
    with answering(head + second + OK) as (address, _), http.Connection(address) as connection:
        connection.send_bytes(b"")
        for method in ("HEAD", "GET", "GET"):
            connection.send(method)
        answers = [connection.read() for _ in range(3)]
    assert [(a.status, a.body) for a in answers] == [(200, b""), (404, b"abc"), (200, b"ok")]


@pytest.mark.parametrize(
    "begun",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n",
    ],
)
def test_cut_answer_is_incomplete(begun):
    """A body that the server cuts is given as far as it came, and is not complete."""
    with answering(begun, reset=True) as (address, _):
        answer = http.request(address)
    assert (answer.status, answer.body, answer.complete) == (200, b"ok", False)


@pytest.mark.parametrize("reset", [False, True])
def test_hang_up(reset):
    """Hanging up closes the connection at once, politely or by a reset."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        connection = http.Connection(listener.getsockname())
        server_side, _ = listener.accept()
        with server_side:
            connection.send()
            assert server_side.recv(65536).startswith(b"GET / HTTP/1.1")
            connection.hang_up(reset=reset)
            assert said_goodbye(lambda: server_side.recv(1)) is not reset


def test_concurrent_calls():
    """So many calls are made at once, and each result is given."""
    together = threading.Barrier(5)

    def ask() -> int:
        return together.wait(5)

    assert sorted(http.concurrently(ask, total=10, at_once=5)) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]


def said_goodbye(receive: Callable[[], bytes]) -> bool:
    try:
        return receive() == b""
    except ConnectionResetError:
        return False
