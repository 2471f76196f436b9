"""Be a server: one that sends whatever comes, does not read all, or whose client goes away."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote

from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.test import RequestFactory

from tests import handlers

Send = Callable[[dict[str, Any]], Awaitable[None]]


def ask(world: str, method: str, url: str, headers: Mapping[str, str]) -> handlers.Answer:
    """Ask, and read the whole answer."""
    if world == "wsgi":
        return handlers.ask(world, method, url, headers)
    sent: list[dict[str, Any]] = []

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    asyncio.run(asgi(url, send, method=method, headers=headers))
    start, *parts = sent
    fields = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
    body = b"".join(part.get("body", b"") for part in parts)
    return handlers.Answer(start["status"], fields, body)


def begin_wsgi(url: str, **environ: Any) -> Any:
    """Return the iterable that a WSGI server reads and closes."""
    full = {**RequestFactory().get(url).environ, **environ}
    return WSGIHandler()(full, lambda status, headers: None)


async def asgi(
    url: str,
    send: Send,
    gone: asyncio.Event | None = None,
    *,
    method: str = "GET",
    headers: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Ask through ASGI; the client hangs up when `gone` is set."""
    path, _, query = url.partition("?")
    fields = {"host": "testserver", **headers}
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote(path),
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.encode(), value.encode("latin-1")) for name, value in fields.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 8000),
    }
    messages: list[dict[str, Any]] = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if messages:
            return messages.pop()
        await (gone or asyncio.Event()).wait()
        return {"type": "http.disconnect"}

    handler = _Handler()
    try:
        await handler(scope, receive, send)
    finally:
        handler.body.close()


class _Handler(ASGIHandler):
    """Django's, whose body can be closed: before 6.1 it stays open where a request fails."""

    async def read_body(self, receive: Any) -> Any:
        self.body = await super().read_body(receive)
        return self.body
