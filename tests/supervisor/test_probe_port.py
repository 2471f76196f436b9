"""The listener of the probe port: small answers, bounded questions, no banner."""

import errno
import logging
import os
import re
import select
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path

import pytest

from dockerflow_django.supervisor import probe_port
from dockerflow_django.supervisor.channel import Reply
from dockerflow_django.supervisor.probe_port import ProbePort, ProbePortError, open_probe_port
from tests.harness import http
from tests.harness.descriptors import no_descriptor_left
from tests.harness.ports import LOOPBACK
from tests.harness.waiting import PROMPT_SECONDS, wait_until
from tests.supervisor.conftest import started


def answer(path: str, headers: Mapping[str, str]) -> Reply | None:
    if path == "/broken":
        raise RuntimeError("s3cret")
    return Reply(503, b'{"status": "error"}') if path == "/known" else None


@pytest.fixture
def listener() -> Iterator[ProbePort]:
    """Give a listener on a free port."""
    listener = ProbePort(LOOPBACK, 0, answer)
    listener.start()
    yield listener
    listener.stop()


@pytest.mark.parametrize("path", ["/known", "/known/", "/known?a=b"])
def test_answers(listener: ProbePort, path: str) -> None:
    """An answer has the status, the body, and no header that tells what runs here."""
    found = http.request(listener.address, "GET", path)
    assert (found.status, found.body) == (503, b'{"status": "error"}')
    assert found.headers["Cache-Control"] == "no-store"
    assert found.headers["X-Content-Type-Options"] == "nosniff"
    assert found.headers["Content-Type"] == "application/json"
    assert found.headers["Connection"] == "close"
    assert "Server" not in found.headers
    assert "Date" not in found.headers


def test_names_of_headers_have_no_case() -> None:
    """What is answered may depend on headers, whatever their names are written like."""
    seen: list[Mapping[str, str]] = []

    def respond(path: str, headers: Mapping[str, str]) -> Reply | None:
        seen.append(headers)
        return None

    listener = ProbePort(LOOPBACK, 0, respond)
    listener.start()
    try:
        http.request(listener.address, "GET", "/", headers={"aUTHORIZATION": "Bearer x"})
    finally:
        listener.stop()
    assert seen[0]["Authorization"] == "Bearer x"


def test_head(listener: ProbePort) -> None:
    """HEAD gets the headers of GET, and no body."""
    found = http.request(listener.address, "HEAD", "/known")
    assert (found.status, found.body, found.headers["Content-Length"]) == (503, b"", "19")
    with socket.create_connection(listener.address, timeout=5) as connection:
        connection.sendall(b"HEAD /known HTTP/1.1\r\n\r\n")
        answered = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answered.endswith(b"\r\n\r\n")


@pytest.mark.parametrize(
    ("request_bytes", "status"),
    [
        (b"GET /unknown HTTP/1.1\r\n\r\n", 404),
        (b"GET /knownX HTTP/1.1\r\n\r\n", 404),
        (b"POST /known HTTP/1.1\r\nContent-Length: 0\r\n\r\n", 405),
        (b"garbage\r\n\r\n", 400),
        (b"GET /known\r\n\r\n", 503),
        (b"GET /known HTTP/1.1\n\n", 503),
        (b"GET /known HTTP/9.9\r\n\r\n", 505),
        (b"GET /" + b"a" * 10000 + b" HTTP/1.1\r\n\r\n", 404),
        (b"GET /known HTTP/1.1\r\n" + b"A: b\r\n" * 101 + b"\r\n", 431),
    ],
)
def test_refusals(listener: ProbePort, request_bytes: bytes, status: int) -> None:
    """What is not asked for is refused in JSON, and what is too long is not read."""
    with http.Connection(listener.address) as connection:
        connection._asked.append(("GET", time.monotonic()))
        connection.send_bytes(request_bytes)
        found = connection.read()
    assert found.status == status
    said = "There is nothing here." if status == 404 else f"{HTTPStatus(status).phrase}."
    assert found.json() == {"error": said} or status == 503
    assert found.headers["Connection"] == "close"
    assert (found.headers["Allow"] == "GET, HEAD") == (status == 405)


def test_one_request_a_connection(listener: ProbePort) -> None:
    """Of two that come at once the first is answered, and the connection ends."""
    with socket.create_connection(listener.address, timeout=5) as connection:
        connection.sendall(b"GET /known HTTP/1.1\r\n\r\n" * 2)
        answers = b"".join(iter(lambda: connection.recv(1000), b""))
    assert answers.count(b"HTTP/1.1 ") == 1


@pytest.mark.parametrize("request_bytes", [b"", b"\r\n"])
def test_no_answer(listener: ProbePort, request_bytes: bytes) -> None:
    """Who asks nothing gets no byte, and the end of the connection."""
    with socket.create_connection(listener.address, timeout=5) as connection:
        connection.sendall(request_bytes)
        connection.shutdown(socket.SHUT_WR)
        assert connection.recv(100) == b""


def test_long_header_is_not_read(listener: ProbePort) -> None:
    """A header beyond its bound is cut, and costs no memory."""
    with socket.create_connection(listener.address, timeout=5) as connection:
        connection.sendall(b"GET /known HTTP/1.1\r\nA: " + b"a" * 9000)
        assert connection.recv(100).startswith(b"HTTP/1.1 ")


def test_error_is_no_answer(listener: ProbePort, caplog: pytest.LogCaptureFixture) -> None:
    """What fails here ends the connection, tells nothing, and the next one is answered.

    Only who asks for the debug lines learns of it: a client that has gone is such a failure.
    """
    caplog.set_level(logging.DEBUG, "dockerflow_django")
    with socket.create_connection(listener.address, timeout=5) as connection:
        connection.sendall(b"GET /broken HTTP/1.1\r\n\r\n")
        assert connection.recv(100) == b""
    (record,) = caplog.records
    assert (record.levelname, "RuntimeError('s3cret')" in record.getMessage()) == ("DEBUG", True)
    assert http.request(listener.address, "GET", "/known").status == 503


class Client:
    """The socket of a client that says these parts, each a second after the one before."""

    def __init__(self, *parts: bytes) -> None:
        self.parts, self.now = list(parts), 100.0
        self.sizes: list[int] = []
        self.timeouts: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def settimeout(self, seconds: float) -> None:
        self.timeouts.append(seconds)

    def recv(self, size: int) -> bytes:
        self.sizes.append(size)
        self.now += 1
        return self.parts.pop(0)


@pytest.mark.parametrize(
    ("parts", "sizes"),
    [
        ([b"GET / ", b"HTTP/1.1\r\n", b"\r\n"], [8192, 8186, 8176]),
        ([b"GET /\n\n", b"more"], [8192]),
        ([b"GET", b"", b"more"], [8192, 8189]),
        ([b"a" * 8000, b"b" * 192, b"more"], [8192, 192]),
        ([b"a"] * 7 + [b"\n\n"], [8192, 8191, 8190, 8189, 8188, 8187, 8186, 8185]),
    ],
)
def test_head_is_read(
    monkeypatch: pytest.MonkeyPatch, parts: list[bytes], sizes: list[int]
) -> None:
    """To its end or its bound; each part has the time that those before have left it."""
    client = Client(*parts)
    monkeypatch.setattr(probe_port, "time", client)
    read = probe_port._read_head(client)  # type: ignore[arg-type]
    assert read == b"".join(parts[: len(sizes)])
    assert client.sizes == sizes
    left = [max(0.001, probe_port.SECONDS - gone) for gone in range(len(sizes))]
    assert client.timeouts == [*left, probe_port.SECONDS]


def test_trickle_is_cut(monkeypatch: pytest.MonkeyPatch, listener: ProbePort) -> None:
    """A client that sends a byte now and then is cut, however often it does."""
    monkeypatch.setattr(probe_port, "SECONDS", 0.3)
    begin = time.monotonic()
    with socket.create_connection(listener.address, timeout=5) as connection:
        wait_until(lambda: _is_cut(connection))
    assert time.monotonic() - begin < PROMPT_SECONDS


@pytest.mark.long
def test_connections_are_bounded(monkeypatch: pytest.MonkeyPatch, listener: ProbePort) -> None:
    """Silent connections take no more threads than there are places, and each has its end."""
    monkeypatch.setattr(probe_port, "PATIENCE_SECONDS", 0)
    monkeypatch.setattr(probe_port, "LOOK_SECONDS", 0.05)
    before = threading.active_count()
    silent = [socket.create_connection(listener.address, timeout=5) for _ in range(40)]
    try:
        # One after the other: each has waited for a place for a moment.
        more = silent[probe_port.CONNECTIONS :]
        wait_until(lambda: all(map(_is_closed, more)), what="those without a place are closed")
        assert threading.active_count() - before <= probe_port.CONNECTIONS
    finally:
        for connection in silent:
            connection.close()


def test_no_descriptor_left(listener: ProbePort, caplog: pytest.LogCaptureFixture) -> None:
    """Without a descriptor left each probe is still answered, on the one that is kept for that."""
    clients = [socket.socket() for _ in range(4)]
    with no_descriptor_left():
        for client in clients:
            client.settimeout(5)
            client.connect(listener.address)
            client.sendall(b"GET /known HTTP/1.1\r\n\r\n")
        began = time.process_time()
        answers = [client.recv(100) for client in clients]
        assert time.process_time() - began < 0.2
    for client in clients:
        client.close()
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 503"}
    wait_until(lambda: "no file descriptor left" in caplog.text)
    assert http.request(listener.address, "GET", "/known").status == 503


def test_no_descriptor_in_reserve(listener: ProbePort) -> None:
    """Without that one too a client waits until there is one, and nothing spins meanwhile."""
    with socket.socket() as client:
        client.settimeout(5)
        with no_descriptor_left():
            listener._server.reserve.give_up()
            with Path(os.devnull).open():
                client.connect(listener.address)
                client.sendall(b"GET /known HTTP/1.1\r\n\r\n")
                began = time.process_time()
                assert not select.select([client], [], [], 0.5)[0]
                assert time.process_time() - began < 0.2
        assert client.recv(100).startswith(b"HTTP/1.1 503")


@pytest.mark.parametrize(("number", "is_full"), [(errno.ECONNABORTED, False), (errno.EMFILE, True)])
def test_failed_accept(monkeypatch: pytest.MonkeyPatch, number: int, is_full: bool) -> None:
    """The descriptor in reserve is given up where one is missing, and not for another failure."""

    def fail(server: ThreadingHTTPServer) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(ThreadingHTTPServer, "get_request", fail)
    listener = ProbePort(LOOPBACK, 0, answer)
    try:
        with pytest.raises(OSError, match=os.strerror(number)):
            listener._server.get_request()
        assert (listener._server.reserve._descriptor is None) == is_full
    finally:
        listener._server.server_close()


def test_place_that_becomes_free(monkeypatch: pytest.MonkeyPatch, listener: ProbePort) -> None:
    """Who comes while all places are taken is answered as soon as one is free."""
    monkeypatch.setattr(probe_port, "LOOK_SECONDS", 0.01)
    free = listener._server._free
    waits: list[float] = []

    def acquire(timeout: float) -> bool:
        waits.append(timeout)
        return take(timeout=timeout)

    take = free.acquire
    monkeypatch.setattr(free, "acquire", acquire)
    for _ in range(probe_port.CONNECTIONS):
        take()
    with socket.create_connection(listener.address, timeout=5) as client:
        client.sendall(b"GET /known HTTP/1.1\r\n\r\n")
        try:
            wait_until(lambda: len(waits) > 2, timeout=5, what="the listener looks again")
        finally:
            free.release()
        assert client.recv(100).startswith(b"HTTP/1.1 503")


def test_no_place_in_time(monkeypatch: pytest.MonkeyPatch, listener: ProbePort) -> None:
    """Who has waited for a place long enough is told so by the end of the connection."""
    monkeypatch.setattr(probe_port, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(probe_port, "LOOK_SECONDS", 0.01)
    for _ in range(probe_port.CONNECTIONS):
        listener._server._free.acquire()
    try:
        with socket.create_connection(listener.address, timeout=5) as connection:
            assert connection.recv(100) == b""
    finally:
        listener._server._free.release(probe_port.CONNECTIONS)
    assert http.request(listener.address, "GET", "/known").status == 503


def test_that_none_is_left_is_logged_once(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The first answer after that logs it; without that there is nothing to tell."""
    monkeypatch.setattr(ThreadingHTTPServer, "process_request_thread", lambda *arguments: None)
    listener = ProbePort(LOOPBACK, 0, answer)
    try:
        for is_full in (False, True, False):
            listener._server._is_full |= is_full
            listener._server._free.acquire()
            listener._server.process_request_thread(None, None)
    finally:
        listener._server.server_close()
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("ERROR", "The process that answers the probes has no file descriptor left.")
    ]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_closes_what_it_inherits() -> None:
    """A worker holds neither the port of its supervisor nor the descriptor that is kept for it."""
    listener = ProbePort(LOOPBACK, 0, answer)
    try:
        inherited = (listener._server.fileno(), listener._server.reserve._descriptor)
        child = os.fork()
        if child == 0:  # pragma: no cover - coverage does not follow the child
            listener.close_in_child()
            os._exit(sum(Path(f"/proc/self/fd/{each}").exists() for each in inherited))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert all(Path(f"/proc/self/fd/{each}").exists() for each in inherited)
    finally:
        listener._server.server_close()


def test_no_thread_for_an_answer(listener: ProbePort, monkeypatch: pytest.MonkeyPatch) -> None:
    """If no thread can be started the client is told, and its place is free for the next one."""

    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as without:
        without.setattr(threading.Thread, "start", refuse)
        for _ in range(probe_port.CONNECTIONS + 1):
            with socket.create_connection(listener.address, timeout=5) as connection:
                assert connection.recv(100) == b""
    assert http.request(listener.address, "GET", "/known").status == 503


def test_burst_is_answered(listener: ProbePort) -> None:
    """Many more than there are places for, all at once, are answered in turn, each of them."""
    count = 10 * probe_port.CONNECTIONS
    burst = [socket.create_connection(listener.address, timeout=10) for _ in range(count)]
    for connection in burst:
        connection.sendall(b"GET /known HTTP/1.1\r\n\r\n")
    for connection in burst:
        with connection:
            assert connection.recv(100).startswith(b"HTTP/1.1 503 ")


def test_stop_waits_for_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where silent connections hold all places and more wait, the listener still stops at once."""
    monkeypatch.setattr(probe_port, "PATIENCE_SECONDS", 3600)
    listener = ProbePort(LOOPBACK, 0, answer)
    listener.start()
    count = 2 * probe_port.CONNECTIONS
    silent = [socket.create_connection(listener.address, timeout=5) for _ in range(count)]
    wait_until(lambda: not listener._server._free._value, what="all places are taken")
    stop = threading.Thread(target=listener.stop)
    stop.start()
    stop.join(PROMPT_SECONDS)
    has_stopped = not stop.is_alive()
    for connection in silent:
        connection.close()
    stop.join()
    assert has_stopped


def test_stop_before_the_start() -> None:
    """A listener that answers nothing yet, for want of a thread say, frees its port at once."""
    listener = ProbePort(LOOPBACK, 0, answer)
    stop = threading.Thread(target=listener.stop, daemon=True)
    stop.start()
    stop.join(5)
    ProbePort(*listener.address, answer).stop()


@pytest.mark.parametrize(("host", "shown"), [(LOOPBACK, LOOPBACK), ("::1", "[::1]")])
def test_port_that_cannot_be_opened(host: str, shown: str) -> None:
    """The text has the address as a URL has it, and the system's reason."""
    opened = open_probe_port(host, 0, answer)
    port = opened.address[1]
    with pytest.raises(
        ProbePortError, match=rf"^the probe port {re.escape(shown)}:{port}: Address already in use$"
    ):
        open_probe_port(host, port, answer)
    opened.stop()


def test_taken_port_is_not_shared(listener: ProbePort) -> None:
    """A second listener on the port is refused."""
    with pytest.raises(OSError, match="in use"):
        ProbePort(*listener.address, answer)


def test_ipv6() -> None:
    """It listens on IPv6 where the host is such an address."""
    listener = ProbePort("::1", 0, answer)
    try:
        assert started(listener.start) == [("dockerflow-probe-port", True)]
        assert listener.address == ("::1", listener._server.socket.getsockname()[1])
        assert http.request(listener.address, "GET", "/known", host="[::1]").status == 503
    finally:
        listener.stop()


def _is_cut(connection: socket.socket) -> bool:
    try:
        connection.sendall(b"G")
        time.sleep(0.05)
    except OSError:
        return True
    return False


def _is_closed(connection: socket.socket) -> bool:
    connection.settimeout(0.1)
    try:
        return connection.recv(1) == b""
    except TimeoutError:
        return False
    except ConnectionResetError:
        return True
