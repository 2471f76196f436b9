"""Read what a person may write for the place to ask: a URL, a path, a unix socket or nothing."""

from __future__ import annotations

from urllib.parse import SplitResult, quote, unquote, urlsplit

LIVENESS_PATH = "/__heartbeat__/liveness"
DEFAULT_PORT = 8000
HIGHEST_PORT = 65535

# All that may stand in a path or query as it is: quoted are the spaces and letters that may not.
_KEPT = "!#$%&'()*+,/:;=?@[]~"


class Target:
    """Whom to ask for what: a host and port, or the path of a unix socket.

    The origin is all of the URL before the path, without user-info: ``credentials`` has that.
    """

    __slots__ = ("address", "credentials", "origin", "path")

    def __init__(
        self, origin: str, address: tuple[str, int] | str, path: str, credentials: str = ""
    ) -> None:
        self.origin = origin
        self.address = address
        self.path = path
        self.credentials = credentials

    @property
    def host(self) -> str:
        """Return what the Host header is to say."""
        return self.origin.partition("//")[2] or "localhost"

    @property
    def tls(self) -> bool:
        """Say whether the connection is to be encrypted."""
        return self.origin.startswith("https:")

    @property
    def shown(self) -> str:
        """Return the URL as people may see it: without user-info and query, which hold secrets."""
        return self.origin + self.path.partition("?")[0]


def locate(text: str, port: str = "", probe_port: str = "", probe_host: str = "") -> Target:
    """Return the target that the text means; raise ValueError, free of user-info, if it is none.

    A ``/path`` means this machine at the port, which is the text of ``PORT``. No text at all means
    the probe port, if there is one, at the address that it listens at, else the same as a path.
    """
    if text.startswith("unix:"):
        return _locate_socket(text)
    if not text and probe_port:
        number = _port(probe_port, "DOCKERFLOW_PROBE_PORT")
        return _locate_url(f"http://{_asked_host(probe_host)}:{number}")
    if not text or text.startswith("/"):
        text = f"http://127.0.0.1:{_port(port)}{text}"
    return _locate_url(text)


def _locate_socket(text: str) -> Target:
    # The socket as in Gunicorn's bind, and the path behind it as in nginx's proxy_pass.
    address, separator, path = text.removeprefix("unix:").partition(":/")
    if not address:
        raise ValueError("unix: lacks the path of a socket, as in unix:/run/app.sock")
    path = quote(f"/{path}", safe=_KEPT) if separator else LIVENESS_PATH
    return Target(f"unix:{address}:", address, path)


def _locate_url(text: str) -> Target:
    parts = _split(text)
    path = quote(parts.path or LIVENESS_PATH, safe=_KEPT)
    return Target(
        f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}",
        (parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)),
        f"{path}?{quote(parts.query, safe=_KEPT)}" if parts.query else path,
        _credentials(parts),
    )


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        if parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0:
            return parts
    except ValueError:  # unbalanced brackets, or a port that is no number
        pass
    # What cannot be read may hold a password: shown is only what follows the last @.
    seen = text.rpartition("@")[2].partition("?")[0]
    raise ValueError(f"{seen!r} is no http://, https:// or unix: address that can be asked")


def _credentials(parts: SplitResult) -> str:
    if parts.username is None:
        return ""
    return f"{unquote(parts.username)}:{unquote(parts.password or '')}"


def _asked_host(text: str) -> str:
    """Return the address to ask a listener at: one that stands for all is this machine's own."""
    if text in {"", "0.0.0.0"}:  # noqa: S104 - asked, not bound
        return "127.0.0.1"
    if ":" in text:
        return "[::1]" if text.strip("[]") == "::" else f"[{text.strip('[]')}]"
    return text


def _port(text: str, name: str = "PORT") -> int:
    if not text:
        return DEFAULT_PORT
    # `int` alone would take "8_000", " 8000" and the digits of other scripts.
    if not (text.isascii() and text.isdigit() and 0 < int(text) <= HIGHEST_PORT):
        raise ValueError(f"{name} is {text!r}, not a number from 1 to {HIGHEST_PORT}")
    return int(text)
