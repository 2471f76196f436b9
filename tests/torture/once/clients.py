"""Clients of every manner: they wait, pipeline, or leave half-way."""

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException
from uuid import UUID

from tests.harness.http import Address, Answer, Connection
from tests.servers.summaries import HEADER, PATIENCE_SECONDS
from tests.torture.once.kinds import KINDS, Kind, names_in

THREADS = 16
PIPELINE = 4
# Of a hundred: requests that begin a pipeline, and those on a connection of their own.
PIPELINES, ALONE = 5, 15
# After the request has been sent, and before its view ends.
LEAVE_SECONDS = 0.1
BROKEN_OFF = {"Content-Length": "1000"}


@dataclass
class Sent:
    """One request, by its number, and what its client got: no status where there was no answer."""

    number: int
    name: str
    rid: str | None
    status: int | None = None
    given: list[str] = field(default_factory=list)
    body: bytes = b""

    @property
    def kind(self) -> Kind:
        return KINDS[self.name]

    @property
    def headers(self) -> dict[str, str]:
        return {"User-Agent": str(self.number)} | ({HEADER: self.rid} if self.rid else {})

    def take(self, answer: Answer) -> None:
        self.status = answer.status
        self.given = answer.headers.get_all(HEADER, [])
        self.body = answer.body


class Clients:
    """A request for each number, from several threads; the seed decides what follows what."""

    def __init__(self, address: Address, world: str, numbers: range, seed: str) -> None:
        self._address = address
        self._random = random.Random(seed)
        self._names = names_in(world)
        self._numbers = iter(numbers)
        self._lock = threading.Lock()
        self.sent: list[Sent] = []

    def run(self) -> None:
        """Send all, and wait for what is waited for."""
        with ThreadPoolExecutor(THREADS) as pool:
            for client in [pool.submit(self._run) for _ in range(THREADS)]:
                client.result()

    def _run(self) -> None:
        with _Kept(self._address) as kept:
            while batch := self._next():
                if len(batch) > 1:
                    kept.pipeline(batch)
                elif batch[0].kind.manner == "wait":
                    kept.ask(batch[0], alone=batch[0].number % 100 < ALONE)
                else:
                    leave(self._address, batch[0])

    def _next(self) -> list[Sent]:
        """Return the next request, or those of the next pipeline."""
        with self._lock:
            is_pipeline = self._random.random() < PIPELINES / 100
            size = PIPELINE if is_pipeline else 1
            names = [name for name in self._names if KINDS[name].pipelined or not is_pipeline]
            return list(self._make(names, size))

    def _make(self, names: list[str], size: int) -> Iterator[Sent]:
        for _, number in zip(range(size), self._numbers, strict=False):
            (name,) = self._random.choices(names, [KINDS[name].often for name in names])
            drawn = self._random.getrandbits(128)
            # Every other client sends an id.
            one = Sent(number, name, str(UUID(int=drawn)) if number % 2 else None)
            self.sent.append(one)
            yield one


class _Kept:
    """A connection that is made again once the server has closed it."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._connection: Connection | None = None

    def ask(self, one: Sent, *, alone: bool) -> None:
        """Ask and wait for the answer; `alone` the server is asked to close the connection."""
        headers = one.headers | ({"Connection": "close"} if alone else {})
        try:
            connection = self._connected()
            connection.send(one.kind.method, one.kind.path, headers=headers, **one.kind.ask)
            self._read(connection, one)
        except (ConnectionError, HTTPException):
            self._close()

    def pipeline(self, batch: list[Sent]) -> None:
        """Send all before the first answer is read."""
        try:
            connection = self._connected()
            for one in batch:
                kind = one.kind
                connection.send(kind.method, kind.path, headers=one.headers, **kind.ask)
            for one in batch:
                self._read(connection, one)
        except (ConnectionError, HTTPException):
            self._close()

    def _read(self, connection: Connection, one: Sent) -> None:
        answer = connection.read()
        one.take(answer)
        if not answer.complete or answer.headers.get("Connection", "").lower() == "close":
            self._close()

    def _connected(self) -> Connection:
        if self._connection is None:
            self._connection = Connection(self._address, PATIENCE_SECONDS)
        return self._connection

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.hang_up()
            self._connection = None

    def __enter__(self) -> "_Kept":
        return self

    def __exit__(self, *error: object) -> None:
        self._close()


def leave(address: Address, one: Sent) -> None:
    """Send a request, or a part of it, and hang up."""
    manner, kind = one.kind.manner, one.kind
    headers = one.headers | (BROKEN_OFF if manner.endswith("body") else {})
    with Connection(address, PATIENCE_SECONDS) as connection:
        try:
            connection.send(kind.method, kind.path, headers=headers, **kind.ask)
            if manner == "leave the stream":
                connection.receive()
            else:
                threading.Event().wait(LEAVE_SECONDS)
        except ConnectionError:
            return
        connection.hang_up(reset=manner in {"reset the body", "leave the stream"})
