"""The services that tests ask: where they are, and what to do without them."""

import os
import socket
from functools import cache
from urllib.parse import urlsplit

from tests.harness.programs import missing

DEFAULT_URLS = {
    "amqp": "amqp://guest:guest@127.0.0.1:5672//",
    "redis": "redis://127.0.0.1:6379/0",
}


def amqp_url() -> str:
    """Return the URL of RabbitMQ, from ``TEST_AMQP_URL`` where that is set."""
    return _url("amqp")


def redis_url() -> str:
    """Return the URL of Redis, from ``TEST_REDIS_URL`` where that is set."""
    return _url("redis")


def require(name: str) -> None:
    """Skip the test where the service is not there; fail it under CI, where it has to be."""
    if not _is_there(_url(name)):
        missing(f"{name} does not answer; set TEST_{name.upper()}_URL")


def _url(name: str) -> str:
    return os.environ.get(f"TEST_{name.upper()}_URL", DEFAULT_URLS[name])


@cache
def _is_there(url: str) -> bool:
    parts = urlsplit(url)
    return _listens(parts.port or 0, parts.hostname or "127.0.0.1")


def _listens(port: int, host: str = "127.0.0.1") -> bool:
    try:
        socket.create_connection((host, port), timeout=2).close()
    except OSError:
        return False
    return True
