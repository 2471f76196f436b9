"""An encrypted connection, where what is read may be more than what the socket shows."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import certificates
from tests.harness.ports import LOOPBACK
from tests.harness.queues import Queue, port, url_through
from tests.harness.waiting import wait_until
from tests.tasks.amqp.consumer import Consumer


class TLS:
    """Takes TLS on a free port, and passes on to RabbitMQ what is in it."""

    def __init__(self, certificate: Path) -> None:
        self.certificate = certificate
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._is_listening = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()))

    async def _serve(self) -> None:
        self._loop, self._over = asyncio.get_running_loop(), asyncio.Event()
        server = await asyncio.start_server(self._bridge, "0.0.0.0", 0, ssl=self._context)
        self.port: int = server.sockets[0].getsockname()[1]
        self._is_listening.set()
        await self._over.wait()
        server.close()

    async def _bridge(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection(LOOPBACK, port())
        await asyncio.gather(_pass_on(reader, inner_writer), _pass_on(inner_reader, writer))

    def __enter__(self) -> "TLS":
        self._thread.start()
        assert self._is_listening.wait(10)
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join()


async def _pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.fixture
def tls(queue: Queue, tmp_path: Path) -> Iterator[TLS]:
    with TLS(certificates.make(tmp_path)) as tls:
        yield tls


def url_of(tls: TLS) -> str:
    return url_through(tls.port).replace("amqp://", "amqps://")


def test_a_certificate_of_a_stranger(queue: Queue, tls: TLS) -> None:
    """A certificate that nobody vouches for is not accepted."""
    with Consumer(lambda body, message: None, queue.name, url_of(tls)) as consumer:
        wait_until(lambda: consumer.broker.status.problem)
        assert not consumer.is_ready()


def test_another_name(queue: Queue, tls: TLS, monkeypatch: pytest.MonkeyPatch) -> None:
    """A certificate of another host is not accepted."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    url = url_of(tls).replace(LOOPBACK, "127.0.0.2")
    with Consumer(lambda body, message: None, queue.name, url) as consumer:
        wait_until(lambda: consumer.broker.status.problem)
        assert not consumer.is_ready()


def test_tls(queue: Queue, tls: TLS, monkeypatch: pytest.MonkeyPatch) -> None:
    """Messages that come in one piece of TLS are all handled, and acknowledged."""
    monkeypatch.setenv("SSL_CERT_FILE", str(tls.certificate))
    url = url_of(tls)
    seen: list[int] = []
    handle = lambda body, message: seen.append(body["n"])  # noqa: E731
    with Consumer(handle, queue.name, url, prefetch=50) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(*({"n": n} for n in range(100)))
        consumer.wait_for(*["SUCCESS"] * 100)
        consumer.stop()
        consumer.join()
    assert seen == list(range(100))
    assert queue.ready() == 0
