"""The application as the workers serve it: while draining, every answer ends its connection.

A client or proxy that keeps connections then opens its next one elsewhere, before the last moment.
"""

from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from dockerflow_django.lifecycle import process, watch_loop

CLOSE = ("Connection", "close")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Any]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Wsgi:
    """A WSGI application around another."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        """Answer a request."""
        if not process.is_draining or environ["SERVER_PROTOCOL"] not in {"HTTP/1.1", "HTTP/1.0"}:
            return self._application(environ, start_response)

        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start_response(status, [*headers, CLOSE], *exc_info)

        return self._application(environ, start)


class Asgi:
    """An ASGI application around another.

    `on_served` is called once the lifespan's startup is complete, or found not to be supported; at
    once if the server runs none; `on_failed` with the text of a startup that has failed.
    """

    def __init__(
        self,
        application: Callable[[Scope, Receive, Send], Awaitable[None]],
        on_served: Callable[[], None],
        *,
        on_failed: Callable[[str], None] = lambda text: None,
        has_lifespan: bool = True,
    ) -> None:
        self._application = application
        self._on_failed = on_failed
        self._on_served: Callable[[], None] | None = on_served
        if not has_lifespan:
            self._serve()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or whatever else the scope is of."""
        if scope["type"] == "lifespan":
            live = self._live_for_django if _is_djangos(self._application) else self._live
            await live(scope, receive, send)
            return
        watch_loop()
        is_http1 = scope["type"] == "http" and scope["http_version"].startswith("1")
        if not (is_http1 and process.is_draining):
            await self._application(scope, receive, send)
            return

        async def send_closing(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                close = tuple(part.lower().encode() for part in CLOSE)
                message = {**message, "headers": [*message.get("headers", ()), close]}
            await send(message)

        await self._application(scope, receive, send_closing)

    async def _live_for_django(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer for an application that knows no lifespan: servers warn of one that raises."""
        try:
            await receive()
            await send({"type": "lifespan.startup.complete"})
        finally:
            self._serve()
        await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _live(self, scope: Scope, receive: Receive, send: Send) -> None:
        has_failed = False

        async def watch(message: MutableMapping[str, Any]) -> None:
            nonlocal has_failed
            if message["type"] == "lifespan.startup.failed":
                has_failed = True
                self._on_failed(str(message.get("message", "")))
            await send(message)
            if message["type"] == "lifespan.startup.complete":
                self._serve()

        try:
            await self._application(scope, receive, watch)
        finally:
            # Servers go on without an application's lifespan if it knows none.
            if not has_failed:
                self._serve()

    def _serve(self) -> None:
        on_served, self._on_served = self._on_served, None
        if on_served is not None:
            on_served()


def _is_djangos(application: Any) -> bool:
    """Tell whether it is Django's own application, which knows HTTP alone."""
    from django.core.handlers.asgi import ASGIHandler

    return type(application).__call__ is ASGIHandler.__call__
