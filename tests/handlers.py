"""Ask the project as a server does: through Django's WSGI or ASGI handler, byte by byte.

Unlike the test client's, a request may have any path, host and method, and the answer is what would
go over the wire.
"""

import asyncio
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, connections
from django.db.backends.base.base import BaseDatabaseWrapper

WORLDS = ("wsgi", "asgi")


@dataclass(frozen=True)
class Answer:
    """What came back; the names of the headers are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body's value."""
        return json.loads(self.body)


def ask(
    world: str,
    method: str,
    url: str,
    headers: Mapping[str, str] | None = None,
    *,
    prefix: str = "",
) -> Answer:
    """Send a request to the project, which the server has mounted below `prefix`."""
    fields = {"host": "testserver", **(headers or {})}
    with _connections_left_alone():
        if world == "wsgi":
            return _wsgi(method, url, fields, prefix)
        return asyncio.run(_asgi(method, url, fields, prefix))


@contextmanager
def _connections_left_alone() -> Iterator[None]:
    """Keep the request from looking at the test's connections, as the test client does.

    Those of a thread that ASGI's handler starts for the request end with it.
    """
    thread = threading.current_thread()

    def close_others(**kwargs: Any) -> None:
        if threading.current_thread() is not thread:
            for connection in connections.all(initialized_only=True):
                # SQLite's own `close` leaves a database in memory open.
                BaseDatabaseWrapper.close(connection)

    signals = (request_started, request_finished)
    changed = [signal for signal in signals if signal.disconnect(close_old_connections)]
    request_finished.connect(close_others)
    try:
        yield
    finally:
        request_finished.disconnect(close_others)
        for signal in changed:
            signal.connect(close_old_connections)


def _wsgi(method: str, url: str, headers: Mapping[str, str], prefix: str) -> Answer:
    path, _, query = url.partition("?")
    environ = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": prefix,
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query.encode().decode("latin-1"),
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **{f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()},
    }
    started: dict[str, Any] = {}

    def start_response(status: str, fields: Iterable[tuple[str, str]]) -> None:
        started.update(status=int(status[:3]), headers=_by_name(fields))

    response = WSGIHandler()(environ, start_response)
    try:
        return Answer(body=b"".join(response), **started)
    finally:
        response.close()


async def _asgi(method: str, url: str, headers: Mapping[str, str], prefix: str) -> Answer:
    path, _, query = url.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": prefix + unquote(path),
        "root_path": prefix,
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in headers.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    requests: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
    requests.put_nowait({"type": "http.request", "body": b"", "more_body": False})
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    await ASGIHandler()(scope, requests.get, send)
    start, *parts = sent
    fields = ((name.decode(), value.decode("latin-1")) for name, value in start["headers"])
    return Answer(start["status"], _by_name(fields), b"".join(part["body"] for part in parts))


def _by_name(fields: Iterable[tuple[str, str]]) -> dict[str, str]:
    return {name.lower(): value for name, value in fields}
