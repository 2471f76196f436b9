"""Requests as bytes: some are HTTP, some nearly, some not at all."""

import socket
from contextlib import suppress

from hypothesis import strategies as st

from tests.harness.http import Address

# Longer than any of these views takes; a server that waits for more bytes is left then.
SECONDS = 20.0
SILENCE_SECONDS = 0.3

PATHS = (
    *("/plain/", "/where/", "/echo/", "/items/7/", "/reset/x/y/", "/collect/"),
    *("/__version__", "/__lbheartbeat__/", "/__heartbeat__", "/__heartbeat__/liveness"),
    *("/__heartbeat__/readiness/", "/__heartbeat__/nope", "/__metrics__", "/", "*", "//h/plain/"),
    *("http://h/plain/", "/plain/../__version__", "/%2e%2e/", "/plain/?token=x&a[]=%ff;b"),
)
NAMES = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Expect"),
    *("Content-Type", "Forwarded", "Host", "If-Modified-Since", "Range", "Referer", "TE"),
    *("Traceparent", "Upgrade", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto"),
    *("X-Request-ID", "X_Request_ID", "Content-Length", "Transfer-Encoding"),
)
VALUES = (
    *("", "text/html", "text/html;q=0.5,*/*", "gzip;q=0, *", "de-CH;q=1.5, *;q=x", "Bearer hush"),
    *("Basic Og==", "a=b; c", "100-continue", "bytes=0-", "h:99999", "[::1", "..", "1, 2", "-1"),
    *("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "00-" + "0" * 32, "x" * 200),
    *("203.0.113.9, [2001:db8::1]:80, unknown", "chunked", "websocket", "0", "5"),
)
# Servers refuse most of what no request may have, so most is what one may.
any_bytes = st.binary(max_size=60)
of_a_line = any_bytes.map(lambda raw: raw.translate(None, b"\r\n"))
visible = any_bytes.map(lambda raw: bytes(byte if byte > 32 else byte + 65 for byte in raw))


def mostly(usual: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    """Draw one of a hundred from any bytes of a line."""
    return st.integers(0, 99).flatmap(lambda one: usual if one else of_a_line)


methods = mostly(st.sampled_from([b"GET"] * 4 + [b"HEAD", b"POST", b"OPTIONS", b"BREW", b"get"]))
escaped = any_bytes.map(lambda raw: b"/" + b"".join(b"%%%02x" % byte for byte in raw))
targets = mostly(st.sampled_from(PATHS).map(str.encode) | escaped)
queries = mostly(st.just(b"") | visible.map(lambda raw: b"?" + raw.replace(b"#", b"")))
values = mostly(st.sampled_from(VALUES).map(str.encode) | visible)
headers = st.tuples(mostly(st.sampled_from(NAMES).map(str.encode)), values).map(b": ".join)


@st.composite
def requests(draw: st.DrawFn) -> bytes:
    """Draw one request, most of them of a good form in some of its parts."""
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=200))
    target = draw(targets) + draw(queries)
    version = draw(st.sampled_from([b"HTTP/1.1"] * 30 + [b"HTTP/1.0", b"HTTP/9.9", b""]))
    lines = [b" ".join([draw(methods), target, version]), b"Host: 127.0.0.1", b"Connection: close"]
    lines += draw(st.lists(headers, max_size=4))
    return b"\r\n".join(lines) + b"\r\n\r\n" + draw(st.just(b"") | any_bytes)


def exchange(address: Address, request: bytes) -> bytes:
    """Send the bytes on a connection of their own, and return those that come back."""
    answer = b""
    with socket.create_connection(address, timeout=SECONDS) as connection:
        with suppress(ConnectionError):
            connection.sendall(request)
        # What is no whole request has no answer.
        connection.settimeout(SECONDS if b"\r\n\r\n" in request else SILENCE_SECONDS)
        with suppress(ConnectionError, TimeoutError):
            while part := connection.recv(65536):
                answer += part
                connection.settimeout(SILENCE_SECONDS)
    return answer
