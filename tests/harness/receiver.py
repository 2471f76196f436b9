"""A receiver of webhooks that answers as the test says, and keeps what it got."""

import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.harness.closing import Closing
from tests.harness.ports import LOOPBACK


class Post(NamedTuple):
    """One request, as it came."""

    path: str
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Receiver(Closing):
    """Listens on a free port; `statuses` are answered in turn, the last one for ever."""

    def __init__(
        self,
        *statuses: int,
        raw: bytes = b"",
        delay: float = 0,
        location: str = "",
        certificate: Path | None = None,
    ) -> None:
        """Listen, by TLS if there is a file of a `certificate` and its key."""
        self.posts: list[Post] = []
        self._statuses = list(statuses) or [204]
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts.append(Post(self.path, dict(self.headers.items()), body))
                time.sleep(delay)
                if raw:
                    self.wfile.write(raw)
                    return
                self.send_response(receiver.next_status())
                self.send_header("Content-Length", "0")
                if location:
                    self.send_header("Location", location)
                self.end_headers()

            do_GET = do_POST  # noqa: N815 - the base class looks for this name

            def log_message(self, *args: Any) -> None:
                """Keep the test's output clean."""

        self._server = ThreadingHTTPServer((LOOPBACK, 0), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://{LOOPBACK}:{self.port}/hook"
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake is made by the thread that serves the connection.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
            self.url = f"https://{LOOPBACK}:{self.port}/hook"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def next_status(self) -> int:
        return self._statuses.pop(0) if len(self._statuses) > 1 else self._statuses[0]

    def news(self) -> list[tuple[str, str]]:
        """Return type and status of what came, in order."""
        return [(post.json()["type"], post.json()["status"]) for post in self.posts]

    def story(self) -> str:
        """Return what came, in order, one line each."""
        return "\n".join(post.body.decode("utf-8", "replace") for post in self.posts)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
