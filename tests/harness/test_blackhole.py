"""Silent peers are silent, and a relay can lose and find what passes through it."""

import socket

import pytest

from tests.harness.blackhole import BlackHole, FullBacklog
from tests.harness.ports import LOOPBACK, Port, accepts
from tests.harness.relay import Relay
from tests.harness.waiting import wait_until

# For what comes, and for what does not.
PATIENT_SECONDS = 5.0
SILENT_SECONDS = 0.2


def test_black_hole_accepts_and_never_answers(black_hole: BlackHole):
    """A connection to the black hole is taken; what is sent has no answer and no end."""
    with connect(black_hole.port) as connection:
        connection.sendall(b"hello")
        wait_until(lambda: black_hole.accepted)
        assert not ends(connection, SILENT_SECONDS)


def test_full_backlog_does_not_even_accept(full_backlog: FullBacklog):
    """A connection attempt where nobody accepts runs into its timeout, and is not refused."""
    with pytest.raises(TimeoutError):
        connect(full_backlog.port, SILENT_SECONDS)


def test_relay_passes_both_ways_until_either_end_closes(upstream):
    """Bytes pass in both directions, and so does the end of a connection."""
    with Relay(upstream.getsockname()[1]) as relay, connect(relay.port) as client:
        with accept(upstream) as server:
            client.sendall(b"question")
            assert server.recv(100) == b"question"
            server.sendall(b"answer")
            assert client.recv(100) == b"answer"
        assert client.recv(1) == b""


@pytest.mark.parametrize("reset", [False, True])
def test_relay_swallows_and_comes_back(upstream, reset):
    """What it swallows stays lost; old connections stay silent or are reset, new ones are well."""
    with Relay(upstream.getsockname()[1]) as relay, connect(relay.port) as old:
        with accept(upstream) as server:
            relay.swallow()
            with connect(relay.port) as during:
                for client in (old, during):
                    client.sendall(b"lost")
                    assert not ends(client, SILENT_SECONDS)
            relay.forward(reset=reset)
            seconds = PATIENT_SECONDS if reset else SILENT_SECONDS
            assert ends(old, seconds) is reset
            assert ends(server, seconds) is reset
        with connect(relay.port) as new, accept(upstream) as server:
            new.sendall(b"found")
            assert server.recv(100) == b"found"


def test_relay_drops_packets_and_comes_back(upstream):
    """What it drops is not even acknowledged, and no connection comes about until it forwards."""
    with Relay(upstream.getsockname()[1]) as relay, connect(relay.port) as old:
        with accept(upstream) as server:
            old.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 300)
            relay.drop()
            old.sendall(b"lost")
            with pytest.raises(TimeoutError, match="Connection timed out"):
                old.recv(1)
            with pytest.raises(TimeoutError):
                connect(relay.port, SILENT_SECONDS)
            assert not ends(server, SILENT_SECONDS)
        relay.forward()
        with connect(relay.port) as new, accept(upstream) as server:
            new.sendall(b"found")
            assert server.recv(100) == b"found"


def test_relay_without_a_target_hangs_up():
    """Where nothing listens behind the relay, its clients are hung up on."""
    with Port() as target, Relay(target.number) as relay, connect(relay.port) as client:
        assert ends(client)


def test_relay_survives_a_reset(upstream):
    """An end that is reset ends the other, and later connections are well."""
    with Relay(upstream.getsockname()[1]) as relay:
        with connect(relay.port) as client:
            server = accept(upstream)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
            server.close()
            assert ends(client)
        with connect(relay.port) as client, accept(upstream) as server:
            client.sendall(b"well")
            assert server.recv(100) == b"well"


def test_port_is_refused_until_its_server_listens():
    """A reserved port refuses clients, is given to nobody else, and its server may bind it."""
    with Port() as port:
        assert not accepts(port.number)
        others = [Port() for _ in range(50)]
        assert port.number not in {other.number for other in others}
        for other in others:
            other.close()
        with socket.create_server((LOOPBACK, port.number)):
            assert accepts(port.number)
        assert not accepts(port.number)


@pytest.fixture
def upstream():
    with socket.create_server((LOOPBACK, 0)) as listener:
        listener.settimeout(PATIENT_SECONDS)
        yield listener


def connect(port: int, seconds: float = PATIENT_SECONDS) -> socket.socket:
    return socket.create_connection((LOOPBACK, port), timeout=seconds)


def accept(listener: socket.socket) -> socket.socket:
    connection, _ = listener.accept()
    connection.settimeout(PATIENT_SECONDS)
    return connection


def ends(connection: socket.socket, seconds: float = PATIENT_SECONDS) -> bool:
    """Whether the other end has closed or reset; false where it is silent for so long."""
    connection.settimeout(seconds)
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
