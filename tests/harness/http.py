"""A client over plain sockets: any bytes, kept connections, pipelines; no proxy, no retry."""

import http.client
import io
import json
import socket
import struct
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from email.message import Message
from typing import Any, Self, TypeVar

from tests.harness.closing import Closing

T = TypeVar("T")
Address = tuple[str, int]


@dataclass(frozen=True)
class Answer:
    """What came back, and how long after the request had begun."""

    status: int
    headers: Message
    body: bytes
    seconds: float
    complete: bool = True

    def json(self) -> Any:
        return json.loads(self.body)


class Connection(Closing):
    """One connection, kept until it is closed; requests may be sent before answers are read."""

    def __init__(self, address: Address, timeout: float = 10.0) -> None:
        self._asked: deque[tuple[str, float]] = deque()
        begin = time.monotonic()
        self._address = address
        self._socket = socket.create_connection(address, timeout=timeout)
        self._connecting = time.monotonic() - begin
        self._file = self._socket.makefile("rb")

    def request(self, method: str = "GET", path: str | bytes = "/", **more: Any) -> Answer:
        """Send one request and read its answer."""
        self.send(method, path, **more)
        return self.read()

    def send(
        self,
        method: str = "GET",
        path: str | bytes = "/",
        *,
        headers: Mapping[str, str | bytes] | None = None,
        body: bytes | None = None,
        host: str | bytes | None = None,
    ) -> None:
        """Send one request; its answer is for a later ``read``."""
        lines = {"Host": host or f"{self._address[0]}:{self._address[1]}", **(headers or {})}
        if body is not None:
            lines.setdefault("Content-Length", str(len(body)))
        head = [b" ".join([method.encode(), _bytes(path), b"HTTP/1.1"])]
        head += [name.encode() + b": " + _bytes(value) for name, value in lines.items()]
        self._asked.append((method, time.monotonic()))
        self.send_bytes(b"\r\n".join(head) + b"\r\n\r\n" + (body or b""))

    def send_bytes(self, data: bytes) -> None:
        """Send bytes that need be no request at all."""
        self._socket.sendall(data)

    def receive(self) -> bytes:
        """Return the bytes that are there, once there are some; fail at the end of them."""
        if not (data := self._file.read1()):
            raise ConnectionError("the server has hung up")
        return data

    def read(self) -> Answer:
        """Read the answer of the oldest request that has none yet."""
        method, begin = self._asked.popleft()
        response = http.client.HTTPResponse(_Shared(self._file), method=method)  # type: ignore[arg-type]
        response.begin()
        body, complete = _read_body(response)
        seconds = time.monotonic() - begin + self._connecting
        self._connecting = 0.0
        return Answer(response.status, response.headers, body, seconds, complete)

    def hang_up(self, *, reset: bool = False) -> None:
        """Close the connection, whatever is under way; with ``reset`` as a crashed peer would."""
        if reset:
            self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._file.close()
        self._socket.close()

    def close(self) -> None:
        self.hang_up()


def request(
    address: Address,
    method: str = "GET",
    path: str | bytes = "/",
    *,
    timeout: float = 10.0,
    **more: Any,
) -> Answer:
    """Ask once on a connection of its own, and say so to the server."""
    headers = {"Connection": "close", **(more.pop("headers", None) or {})}
    with Connection(address, timeout) as connection:
        return connection.request(method, path, headers=headers, **more)


def concurrently(ask: Callable[[], T], *, total: int, at_once: int) -> list[T]:
    """Call ``ask`` ``total`` times from ``at_once`` threads; results in order of calling."""
    with ThreadPoolExecutor(at_once) as pool:
        return [call.result() for call in [pool.submit(ask) for _ in range(total)]]


class _Shared:
    """One buffered reader for all the answers of a connection: each would read ahead for itself."""

    def __init__(self, file: io.BufferedReader) -> None:
        self._file = file

    def makefile(self, mode: str) -> Self:
        return self

    def close(self) -> None:
        """Leave the reader open: the next answer may be in its buffer."""

    def flush(self) -> None:
        """Do nothing: an answer that was not read to its end asks when the reader is closed."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def _read_body(response: http.client.HTTPResponse) -> tuple[bytes, bool]:
    parts = []
    try:
        while part := response.read1():
            parts.append(part)
    except (http.client.IncompleteRead, ConnectionError):
        return b"".join(parts), False
    return b"".join(parts), response.length in (None, 0)


def _bytes(value: str | bytes) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
