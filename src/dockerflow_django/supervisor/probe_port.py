"""One small HTTP listener that answers the probes while every worker is busy.

It reads no body and answers one request a connection, on the standard library's server class with
bounds on connections, time and header size. It is meant for the kubelet and for Prometheus, and
belongs behind no load balancer.
"""

import errno
import io
import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socketserver import TCPServer
from typing import Any

from dockerflow_django.supervisor.channel import Reply
from dockerflow_django.supervisor.reserve import Reserve

# Three probes, a scrape and a person come at once; each connection is a thread.
CONNECTIONS = 16
# Those that come meanwhile queue in the kernel, for a place is free within milliseconds.
QUEUE = 1024
# From the first byte to the last of a request; a kubelet waits one second for the whole.
SECONDS = 5
# Silent clients may hold every place; a client that waits longer than this is disconnected.
PATIENCE_SECONDS = 5.0
LOOK_SECONDS = 0.1
HEADER_BYTES = 8192
# Before the next attempt to accept, if this process has no descriptor left.
FULL_PAUSE_SECONDS = 0.1

logger = logging.getLogger("dockerflow_django")

# Takes a path without its trailing slash, and the headers by names like ``Accept-Encoding``; None
# stands for 404.
Respond = Callable[[str, Mapping[str, str]], Reply | None]


class ProbePort:
    """The listener; it accepts from the constructor on and answers from `start` on."""

    def __init__(self, host: str, port: int, respond: Respond) -> None:
        """Bind. Raises `OSError` if the port is taken."""
        self._server = _Server((host, port), _Handler)
        self._server.respond = respond
        self.address: tuple[str, int] = self._server.socket.getsockname()[:2]
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="dockerflow-probe-port", daemon=True
        )

    def start(self) -> None:
        """Answer, in daemon threads."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering and free the port."""
        self._server.is_stopping = True
        if self._thread.is_alive():  # else `shutdown` would wait for ever
            self._server.shutdown()
        self._server.server_close()

    def close_in_child(self) -> None:
        """Close the inherited socket in a forked child, which has none of the threads."""
        self._server.socket.close()
        self._server.reserve.close_in_child()


class ProbePortError(Exception):
    """The probe port cannot be opened; the text says which, and why."""


def open_probe_port(host: str, port: int, respond: Respond) -> ProbePort:
    """Open the port and answer on it. Raises `ProbePortError`."""
    try:
        opened = ProbePort(host, port, respond)
    except OSError as error:
        shown = f"[{host}]" if ":" in host else host
        text = f"the probe port {shown}:{port}: {error.strerror or error}"
        raise ProbePortError(text) from error
    opened.start()
    return opened


class _Server(ThreadingHTTPServer):
    respond: Respond
    is_stopping = False
    daemon_threads = True
    block_on_close = False
    request_queue_size = QUEUE
    # A second process on the same port is an error, never a silent sharing.
    allow_reuse_port = False

    def __init__(self, address: tuple[str, int], handler: type["_Handler"]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        self._free = threading.BoundedSemaphore(CONNECTIONS)
        self.reserve = Reserve()
        self._is_full = False
        super().__init__(address, handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for this machine's name, as the base class does."""
        TCPServer.server_bind(self)

    def get_request(self) -> tuple[Any, Any]:
        """Accept a connection; if this process has no descriptor left, on the one in reserve."""
        self.reserve.refill()
        try:
            return super().get_request()
        except OSError as error:
            if error.errno not in {errno.EMFILE, errno.ENFILE}:
                raise
        self._is_full = True
        try:
            self.reserve.give_up()
            return super().get_request()
        except OSError:
            time.sleep(FULL_PAUSE_SECONDS)  # else the loop would spin: the client still waits
            raise

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer in a thread once one is free; close if none is soon: the client is told."""
        if not self._has_place():
            self.shutdown_request(request)
            return
        try:
            super().process_request(request, client_address)
        except RuntimeError:  # no thread could be started: the base class closes
            self._free.release()
            raise

    def _has_place(self) -> bool:
        """Wait for a place, and take it."""
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while not self._free.acquire(timeout=LOOK_SECONDS):
            if self.is_stopping or time.monotonic() > ends_at:
                return False
        return True

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """Answer, and make room."""
        try:
            super().process_request_thread(request, client_address)
        finally:
            self.reserve.refill()
            self._free.release()
        # After the answer: the log may be slow.
        is_full, self._is_full = self._is_full, False
        if is_full:
            logger.error("The process that answers the probes has no file descriptor left.")

    def server_close(self) -> None:
        """Free the port, and the descriptor in reserve."""
        super().server_close()
        self.reserve.give_up()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Log what is not just a client that has gone."""
        logger.debug("A request on the probe port failed: %r", sys.exception())


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    timeout = SECONDS

    def setup(self) -> None:
        """Read the header here: the socket's own timeout begins anew with every byte."""
        super().setup()
        self.rfile.close()
        self.rfile = io.BytesIO(_read_head(self.connection))

    def do_GET(self) -> None:
        """Answer, with a body unless it is HEAD."""
        path = self.path.partition("?")[0].rstrip("/")
        # Names are told apart without their case (RFC 9110, section 5.1).
        headers = {name.title(): value for name, value in self.headers.items()}
        found = self.server.respond(path, headers)
        self._send(found or Reply(404, b'{"error": "There is nothing here."}'))

    do_HEAD = do_GET  # noqa: N815 - the base class looks for this name

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Answer in JSON what the base class finds wrong, without a page or a banner."""
        if code == HTTPStatus.NOT_IMPLEMENTED:  # the base class's answer to any other method
            code = HTTPStatus.METHOD_NOT_ALLOWED
        reason = HTTPStatus(code).phrase
        self._send(Reply(code, f'{{"error": "{reason}."}}'.encode()))

    def _send(self, found: Reply) -> None:
        # If the request line could not be read, the base class takes it for HTTP/0.9.
        self.request_version = self.protocol_version
        self.send_response_only(found.status)
        self.send_header("Content-Type", found.content_type)
        self.send_header("Content-Length", str(len(found.body)))
        fixed = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
        for name, value in {**fixed, **found.headers}.items():
            self.send_header(name, value)
        if found.status == HTTPStatus.METHOD_NOT_ALLOWED:
            self.send_header("Allow", "GET, HEAD")
        # This ends the connection, too: a probe makes a new one each time.
        self.send_header("Connection", "close")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(found.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the polls out of the log."""


def _read_head(connection: socket.socket) -> bytes:
    """Return the header: at most so many bytes, of which the last comes within the time.

    Raises `TimeoutError`. What goes beyond the bound is not read.
    """
    ends_at = time.monotonic() + SECONDS
    head = b""
    while len(head) < HEADER_BYTES and b"\r\n\r\n" not in head and b"\n\n" not in head:
        connection.settimeout(max(0.001, ends_at - time.monotonic()))
        if not (part := connection.recv(HEADER_BYTES - len(head))):
            break
        head += part
    connection.settimeout(SECONDS)
    return head
