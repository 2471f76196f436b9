"""Ask one target once, within a deadline for everything: no proxy, no redirect, little imported."""

from __future__ import annotations

import sys
import threading

# What `typing` calls so too; importing it would cost a health check more than it is worth here.
TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket

    from dockerflow_django.client.target import Target

BODY_BYTES = 4096


class Answer:
    """What came back: the status line, and of the rest what a line for people may need."""

    __slots__ = ("body", "location", "reason", "status")

    def __init__(self, status: int, reason: str, location: str, body: str) -> None:
        self.status = status
        self.reason = reason
        self.location = location
        self.body = body


def ask(
    target: Target, seconds: float, *, verify: bool = True, body_bytes: int = BODY_BYTES
) -> Answer:
    """Return the answer to one GET; raise OSError, HTTPException or ValueError if none came.

    The deadline is for everything: a server that sends a byte a second, a name server that keeps
    silent. No socket's timeout gives that, so another thread asks and this one waits.
    """
    outcome: list[Answer | Exception] = []

    def work() -> None:
        try:
            outcome.append(_exchange(target, seconds, verify, body_bytes))
        except Exception as error:  # noqa: BLE001 - raised below, in the thread that waits
            outcome.append(error)

    # A daemon: if it is stuck, the process ends without it.
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(seconds)
    if not outcome:
        raise TimeoutError
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    return outcome[0]


def cause(error: Exception, seconds: float) -> str:
    """Say why there is no answer, in plain words if the exception's own need explaining."""
    if isinstance(error, TimeoutError):
        return f"no complete answer within {seconds:g} s"
    name = type(error).__name__
    if name == "SSLCertVerificationError":
        return f"{getattr(error, 'verify_message', '')} (--insecure accepts any certificate)"
    return _CAUSES.get(name) or f"{getattr(error, 'strerror', '') or error} ({name})"


# By name, as http.client is imported late.
_CAUSES = {
    "BadStatusLine": "what answers there does not speak HTTP",
    "ConnectionRefusedError": "nothing listens there",
    "ConnectionResetError": "the connection was cut before the answer came",
    "FileNotFoundError": "there is no such socket",
    "RemoteDisconnected": "the connection was closed without an answer",
}


def leave_out_ssl() -> None:
    """Keep http.client from importing ssl, which costs 5 ms and 4 MB that plain HTTP does not need.

    Only for a process that does nothing else: afterwards ``ssl`` is there for `ask` alone.
    """
    if "ssl" not in sys.modules:
        sys.modules["ssl"] = None  # type: ignore[assignment]  # the documented way to bar an import


def _exchange(target: Target, seconds: float, verify: bool, body_bytes: int) -> Answer:
    import http.client

    connection = http.client.HTTPConnection("localhost")
    connection.sock = _connect(target, seconds, verify=verify)
    try:
        connection.request("GET", target.path, headers=_headers(target))
        response = connection.getresponse()
        return Answer(
            response.status,
            response.reason,
            response.getheader("Location", ""),
            response.read(body_bytes).decode(errors="replace"),
        )
    finally:
        connection.close()


def _headers(target: Target) -> dict[str, str]:
    headers = {
        "Host": target.host,
        "Accept": "application/json",
        "Connection": "close",
        "User-Agent": "dockerflow-django-healthcheck",
    }
    if target.credentials:
        from base64 import b64encode

        headers["Authorization"] = f"Basic {b64encode(target.credentials.encode()).decode()}"
    return headers


def _connect(target: Target, seconds: float, *, verify: bool) -> socket.socket:
    import socket

    if isinstance(target.address, tuple):
        connected = socket.create_connection(target.address, seconds)
        return _encrypt(connected, target.address[0], verify=verify) if target.tls else connected
    connected = socket.socket(socket.AF_UNIX)
    try:
        connected.settimeout(seconds)
        connected.connect(target.address)
    except OSError:
        connected.close()
        raise
    return connected


def _encrypt(connected: socket.socket, name: str, *, verify: bool) -> socket.socket:
    if sys.modules.get("ssl", True) is None:
        del sys.modules["ssl"]
    import ssl

    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(connected, server_hostname=name)
