"""A server of a benchmark's application, for as long as it is measured."""

import http.client
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS_TO_START = 20


@contextmanager
def served(
    command: list[str], environ: dict[str, str], path: str = "/__lbheartbeat__"
) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """Serve until the block ends; the server answers `path` when this yields its port."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    where = ["--host", "127.0.0.1", "--port", str(port)]
    if command[0] == "gunicorn":
        where = ["--bind", f"127.0.0.1:{port}"]
    server = subprocess.Popen(
        [sys.executable, "-m", *command[:1], *where, *command[1:]],
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_for(port, path)
        yield port, server
    finally:
        # On SIGTERM the server ends its worker as well.
        server.terminate()
        try:
            server.wait(_SECONDS_TO_START)
        finally:
            server.kill()
            server.wait()


def _wait_for(port: int, path: str) -> None:
    deadline = time.monotonic() + _SECONDS_TO_START
    while time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", path)
            connection.getresponse().read()
        except OSError:
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    raise RuntimeError(f"nothing listens on port {port}")
