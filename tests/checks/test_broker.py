"""Connecting to a broker through Kombu."""

import time
from urllib.parse import urlsplit

import pytest
from kombu import Connection

from dockerflow_django.checks.broker import (
    BrokerMisconfiguredError,
    BrokerUnreachableError,
    connected,
)
from tests.checks import fakes
from tests.harness.waiting import PROMPT_SECONDS
from tests.services import amqp_url, redis_url, require

TIMEOUT_SECONDS = 0.2


def open_and_close(url):
    with connected(lambda: Connection(url, connect_timeout=TIMEOUT_SECONDS), TIMEOUT_SECONDS) as it:
        assert it.connected
    assert not it.connected


@pytest.fixture(params=["amqp", "redis"])
def scheme(request):
    return request.param


@pytest.fixture
def working(scheme):
    require(scheme)
    return {"amqp": amqp_url, "redis": redis_url}[scheme]()


def test_connects_and_closes(working):
    """The connection is open inside the block and closed after it."""
    open_and_close(working)


def test_tries_each_host(working, scheme, refusing_port):
    """Where the URL names several hosts, one that answers is enough."""
    open_and_close(f"{scheme}://127.0.0.1:{refusing_port}//;{working}")


def test_refused_connection_is_told_at_once(scheme, refusing_port):
    """Nobody listening is no reason to retry."""
    begun = time.monotonic()
    with pytest.raises(BrokerUnreachableError) as raised:
        open_and_close(f"{scheme}://127.0.0.1:{refusing_port}")
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert raised.value.__cause__


def test_silence_is_bounded(scheme, black_hole):
    """A broker that takes connections and never answers is given up after the timeout."""
    begun = time.monotonic()
    with pytest.raises(BrokerUnreachableError):
        open_and_close(f"{scheme}://127.0.0.1:{black_hole.port}")
    assert time.monotonic() - begun < PROMPT_SECONDS


def test_broker_that_freezes_does_not_delay_closing(working):
    """A broker that falls silent while the connection is used does not hold it open."""
    parts = urlsplit(working)
    with fakes.freezing_proxy(parts.hostname, parts.port) as proxy:
        url = working.replace(str(parts.port), str(proxy.port))
        with connected(lambda: Connection(url, connect_timeout=1), TIMEOUT_SECONDS) as connection:
            assert connection.default_channel
            proxy.is_frozen = True
            begun = time.monotonic()
    assert time.monotonic() - begun < PROMPT_SECONDS


def test_refused_login_is_told():
    """A broker that knows no such user counts as one that cannot be reached."""
    require("amqp")
    with pytest.raises(BrokerUnreachableError):
        open_and_close(amqp_url().replace("guest:guest", "guest:wrong"))


def test_error_inside_the_block_is_told_alike(working):
    """A connection that breaks while it is used counts as a broker that cannot be reached."""
    with pytest.raises(BrokerUnreachableError), connected(lambda: Connection(working), 1):
        raise ConnectionResetError


@pytest.mark.parametrize(
    "url", ["nosuch://host", "amqp://host:port//", "amqp://[", "redis://127.0.0.1:6379/words"]
)
def test_url_that_kombu_cannot_use(url):
    """A transport, port, address or database that is none is a misconfiguration."""
    with pytest.raises(BrokerMisconfiguredError):
        open_and_close(url)
