"""Requests that know which worker they were with, until the end of a ``with`` block."""

import http.client
import threading
import time
from dataclasses import dataclass
from typing import Self

from tests.harness import http as client
from tests.harness.closing import Closing

CLIENTS = 12
REQUESTS_A_CONNECTION = 10
PAUSE_SECONDS = 0.06
# No answer takes so long, on a busy machine either.
TIMEOUT_SECONDS = 20.0


@dataclass(frozen=True)
class Request:
    """A request, without an answer if there is a `problem`; `pid` is 0 if no answer told it."""

    number: int
    pid: int
    began_at: float
    ended_at: float
    problem: str


class Traffic(Closing):
    """Clients that ask ten times on a connection; the first answer tells whose it is."""

    def __init__(self, address: client.Address) -> None:
        self._address = address
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._number = 0
        self.answered = 0
        self.lost: list[Request] = []
        self._threads = [threading.Thread(target=self._run) for _ in range(CLIENTS)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def close(self) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _run(self) -> None:
        while not self._ended.is_set():
            self._use_a_connection()

    def _use_a_connection(self) -> None:
        pid = 0
        connection: client.Connection | None = None
        for _ in range(REQUESTS_A_CONNECTION):
            number, began_at = self._next(), time.monotonic()
            try:
                connection = connection or client.Connection(self._address, TIMEOUT_SECONDS)
                answer = connection.request("GET", f"/work/?number={number}")
                pid = int(answer.body) if answer.status == 200 else pid
                problem = "" if answer.status == 200 else f"answered {answer.status}"
            except (OSError, ValueError, http.client.HTTPException) as error:
                problem = repr(error)
            if not self._note(Request(number, pid, began_at, time.monotonic(), problem)):
                break
            if answer.headers.get("Connection") == "close" or self._ended.wait(PAUSE_SECONDS):
                break
        if connection is not None:
            connection.hang_up()

    def _next(self) -> int:
        with self._lock:
            self._number += 1
            return self._number

    def _note(self, asked: Request) -> bool:
        with self._lock:
            if asked.problem:
                self.lost.append(asked)
            else:
                self.answered += 1
        return not asked.problem
