"""One attempt to post a webhook, with one deadline for all of it: names, connection, every byte."""

import contextlib
import socket
import ssl
import threading
from http.client import HTTPConnection, HTTPSConnection
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

TOO_MANY_REQUESTS = 429


class Problem(NamedTuple):
    """What went wrong, empty if nothing did; `is_final` if another attempt is futile."""

    text: str = ""
    is_final: bool = False


class Delivery:
    """One attempt."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._connections: list[HTTPConnection] = []
        self._outcome: Problem | None = None

    def run(self, seconds: float) -> Problem:
        """Post, and return what went wrong within so many seconds.

        No timeout of a socket bounds a receiver that sends a byte now and then, nor the look-up of
        a name. So another thread posts, and at the end of the time its connection is cut.
        """
        thread = threading.Thread(
            target=self._post, args=(seconds,), name="dockerflow-webhook", daemon=True
        )
        thread.start()
        thread.join(seconds)
        if self._outcome is None:
            self._cut()
            return Problem(f"no complete answer within {seconds:g} s")
        return self._outcome

    def _post(self, seconds: float) -> None:
        try:
            # A connection that is not made yet cannot be cut: it ends by itself, a little later.
            with self._opener().open(self._request, timeout=seconds + 1):
                self._outcome = Problem()
        except HTTPError as error:
            error.close()
            is_passing = error.code >= 500 or error.code == TOO_MANY_REQUESTS  # noqa: PLR2004
            self._outcome = Problem(f"it answered {error.code}", not is_passing)
        except Exception as error:  # noqa: BLE001 - what answers need not speak HTTP at all
            self._outcome = Problem(_said(error))

    def _opener(self) -> OpenerDirector:
        """Make an opener that follows no redirect and knows no scheme but http and https."""
        opener = OpenerDirector()
        handlers = (ProxyHandler(), _Http(self._connections), _Https(self._connections))
        for handler in (*handlers, HTTPDefaultErrorHandler(), HTTPErrorProcessor()):
            opener.add_handler(handler)
        return opener

    def _cut(self) -> None:
        for connection in self._connections:
            with contextlib.suppress(OSError, AttributeError):
                connection.sock.shutdown(socket.SHUT_RDWR)


class _Http(HTTPHandler):
    def __init__(self, connections: list[HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def http_open(self, req: Request) -> Any:
        """Keep the connection, so that it can be cut."""

        def connect(host: str, **more: Any) -> HTTPConnection:
            self._connections.append(HTTPConnection(host, **more))
            return self._connections[-1]

        return self.do_open(connect, req)


class _Https(HTTPSHandler):
    def __init__(self, connections: list[HTTPConnection]) -> None:
        super().__init__()
        self._connections = connections

    def https_open(self, req: Request) -> Any:
        """Keep the connection, so that it can be cut."""

        def connect(host: str, **more: Any) -> HTTPConnection:
            context = ssl.create_default_context()
            self._connections.append(HTTPSConnection(host, context=context, **more))
            return self._connections[-1]

        return self.do_open(connect, req)


def _said(error: Exception) -> str:
    """Say what happened without the exception's text, which may hold the URL."""
    reason = getattr(error, "reason", error)
    return str(getattr(reason, "strerror", None) or type(reason).__name__)
