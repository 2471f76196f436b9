"""The application as the workers serve it: while draining, every answer ends its connection."""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from django.core.handlers.asgi import ASGIHandler

from dockerflow_django import lifecycle
from dockerflow_django.supervisor.application import CLOSE, Asgi, Wsgi


@pytest.fixture
def draining() -> Iterator[None]:
    lifecycle.process.drain()
    yield
    lifecycle.reset()


def wsgi_headers(protocol: str) -> list[tuple[str, str]]:
    """Return the headers of one answer."""
    found: list[tuple[str, str]] = []

    def application(environ: Any, start_response: Any) -> list[bytes]:
        assert environ["SERVER_PROTOCOL"] == protocol
        start_response("200 OK", [("A", "b")])
        return [b""]

    def start(status: str, headers: list[tuple[str, str]]) -> None:
        found.extend(headers)

    Wsgi(application)({"SERVER_PROTOCOL": protocol}, start)
    return found


async def asgi_headers(scope: MutableMapping[str, Any]) -> list[tuple[bytes, bytes]]:
    """Return the headers of one answer; the application is asked as its server asked."""
    found: list[tuple[bytes, bytes]] = []

    async def application(given: Any, receive: Any, answer: Any) -> None:
        assert (given, receive) == (scope, send)
        await answer({"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")]})
        await answer({"type": "http.response.body", "body": b""})

    async def send(message: MutableMapping[str, Any]) -> None:
        found.extend(message.get("headers", ()))

    await Asgi(application, list)(scope, send, send)  # type: ignore[arg-type]
    return found


def test_wsgi_while_serving() -> None:
    """Without a drain nothing is added."""
    assert wsgi_headers("HTTP/1.1") == [("A", "b")]


@pytest.mark.parametrize(
    ("protocol", "more"), [("HTTP/1.1", [CLOSE]), ("HTTP/1.0", [CLOSE]), ("HTTP/2", [])]
)
def test_wsgi_while_draining(draining: None, protocol: str, more: list[tuple[str, str]]) -> None:
    """While draining the header is there, but in HTTP/2, which forbids it."""
    assert wsgi_headers(protocol) == [("A", "b"), *more]


def test_wsgi_error_while_draining(draining: None) -> None:
    """What an application says of an error it has met, as the specification has it, goes on."""
    told: list[Any] = []
    error = (ValueError, ValueError("no brain"), None)

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("500 No", [], error)
        return [b""]

    Wsgi(application)({"SERVER_PROTOCOL": "HTTP/1.1"}, lambda *arguments: told.extend(arguments))
    assert told == ["500 No", [CLOSE], error]


async def test_asgi_while_serving() -> None:
    """Without a drain nothing is added."""
    assert await asgi_headers({"type": "http", "http_version": "1.1"}) == [(b"a", b"b")]


@pytest.mark.parametrize(
    ("scope", "more"),
    [
        ({"type": "http", "http_version": "1.1"}, [(b"connection", b"close")]),
        ({"type": "http", "http_version": "2"}, []),
        ({"type": "websocket", "http_version": "1.1"}, []),
    ],
)
async def test_asgi_while_draining(
    draining: None, scope: dict[str, str], more: list[tuple[bytes, bytes]]
) -> None:
    """While draining the header is there, but in HTTP/2 and for WebSockets."""
    assert await asgi_headers(scope) == [(b"a", b"b"), *more]


async def test_asgi_without_headers_while_draining(draining: None) -> None:
    """An answer need not have headers, and its other messages go on as they are."""
    told: list[MutableMapping[str, Any]] = []
    start = {"type": "http.response.start", "status": 204}
    body = {"type": "http.response.body", "body": b""}

    async def application(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(body)

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message)

    await Asgi(application, list)({"type": "http", "http_version": "1.1"}, send, send)  # type: ignore[arg-type]
    assert told == [{**start, "headers": [(b"connection", b"close")]}, body]


async def live(*messages: dict[str, str], error: Exception | None = None) -> list[str]:
    """Return what a worker learns while an application says this in its lifespan, in order."""
    told: list[str] = []

    async def application(scope: Any, receive: Any, send: Any) -> None:
        assert (scope["type"], await receive()) == ("lifespan", "startup")
        for message in messages:
            await send(message)
        if error is not None:
            raise error

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message["type"].rpartition(".")[2])

    async def receive() -> str:
        return "startup"

    asgi = Asgi(
        application,
        lambda: told.append("serves"),
        on_failed=lambda text: told.append(f"failed: {text}"),
    )
    try:
        await asgi({"type": "lifespan"}, receive, send)  # type: ignore[arg-type]
    except ValueError:
        told.append("raised")
    return told


async def test_lifespan() -> None:
    """A worker serves once the startup is complete, which is said once."""
    complete = {"type": "lifespan.startup.complete"}
    end = {"type": "lifespan.shutdown.complete"}
    assert await live(complete, end) == ["complete", "serves", "complete"]


async def test_lifespan_that_fails() -> None:
    """A worker whose startup has failed serves nothing, and tells why."""
    failed = {"type": "lifespan.startup.failed", "message": "no brain"}
    assert await live(failed) == ["failed: no brain", "failed"]
    assert await live({"type": "lifespan.startup.failed"}) == ["failed: ", "failed"]


async def test_lifespan_that_is_not_supported() -> None:
    """An application without a lifespan raises, and serves all the same."""
    assert await live(error=ValueError("lifespan")) == ["serves", "raised"]


async def test_lifespan_of_django() -> None:
    """Django's own application knows none: it is answered for, so that no server warns of it."""
    told: list[str] = []
    messages = ["startup", "shutdown"]

    async def receive() -> str:
        told.append(messages.pop(0))
        return told[-1]

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message["type"])

    asgi = Asgi(ASGIHandler(), lambda: told.append("serves"))
    await asgi({"type": "lifespan"}, receive, send)
    startup, shutdown = "lifespan.startup.complete", "lifespan.shutdown.complete"
    assert told == ["startup", startup, "serves", "shutdown", shutdown]


async def test_lifespan_of_django_in_a_server_that_fails() -> None:
    """The worker serves all the same, as with an application without a lifespan."""
    told: list[str] = []

    async def receive() -> str:
        return "startup"

    async def send(message: MutableMapping[str, Any]) -> None:
        raise OSError(message["type"])

    asgi = Asgi(ASGIHandler(), lambda: told.append("serves"))
    with pytest.raises(OSError, match="startup"):
        await asgi({"type": "lifespan"}, receive, send)
    assert told == ["serves"]


def test_server_without_lifespan() -> None:
    """A server that runs no lifespan serves at once."""
    told: list[str] = []
    Asgi(lambda *args: None, lambda: told.append("serves"), has_lifespan=False)  # type: ignore[arg-type,return-value]
    assert told == ["serves"]
