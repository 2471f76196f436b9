"""A certificate of one's own, as a container makes it for itself."""

import socket
import ssl
import subprocess

import pytest

from tests.programs import need


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """Give the path of one for the tests of a module."""
    return make(tmp_path_factory.mktemp("tls"))


def make(folder):
    """Write a key and a certificate for localhost and 127.0.0.1; return the path of both in one."""
    key, certificate, both = folder / "key.pem", folder / "certificate.pem", folder / "both.pem"
    command = (
        f"{need('openssl')} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
        " -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1"
    )
    subprocess.run(
        [*command.split(), "-keyout", key, "-out", certificate],
        check=True,
        capture_output=True,
        timeout=60,
    )
    both.write_text(key.read_text() + certificate.read_text())
    return both


def listener(path):
    """Return a listening socket on the loopback interface that speaks TLS with this certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    plain = socket.create_server(("127.0.0.1", 0))
    return context.wrap_socket(plain, server_side=True)
