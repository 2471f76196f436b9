import base64
import socket
import ssl
import sys
import time

import pytest

from dockerflow_django.client.http_get import BODY_BYTES, ask, leave_out_ssl
from dockerflow_django.client.target import Target, locate
from tests import certificates
from tests.certificates import certificate  # noqa: F401
from tests.loopback import OK, drip, gush, say, say_nothing, serving


def test_the_request():
    """The server is sent a GET with the Host as given, and is told that no second one comes."""
    with serving(say(OK)) as server:
        ask(locate(server.url("/x?y=1")), 5)
    line, *headers = server.requests[0].decode().splitlines()
    assert line == "GET /x?y=1 HTTP/1.1"
    assert f"Host: 127.0.0.1:{server.port}" in headers
    assert "Connection: close" in headers
    assert not any(header.startswith("Authorization") for header in headers)


def test_credentials_are_sent():
    """User-info of the URL is sent as Basic credentials, as every other client does."""
    with serving(say(OK)) as server:
        ask(locate(f"http://user:p%40ss@127.0.0.1:{server.port}/"), 5)
    expected = base64.b64encode(b"user:p@ss").decode()
    assert f"Authorization: Basic {expected}" in server.requests[0].decode()


def test_the_answer():
    """The status line, the Location and the body come back, also from a chunked answer."""
    data = (
        b"HTTP/1.1 503 Service Unavailable\r\nLocation: /there\r\n"
        b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    with serving(say(data)) as server:
        answer = ask(locate(server.url()), 5)
    assert (answer.status, answer.reason) == (503, "Service Unavailable")
    assert (answer.location, answer.body) == ("/there", "hello")


def test_a_body_without_end_is_read_in_part():
    """Of a body without end only the beginning is read."""
    with serving(gush) as server:
        answer = ask(locate(server.url()), 5)
    assert answer.body == "x" * BODY_BYTES


@pytest.mark.parametrize(
    "answer",
    [
        say_nothing,
        drip(b""),
        drip(b"HTTP/1.1 200 OK\r\n"),
        drip(b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n"),
    ],
    ids=["silence", "status line", "header", "body"],
)
def test_the_deadline_is_for_everything(answer):
    """However the server keeps us, after the deadline it is over: no byte a second extends it."""
    with serving(answer) as server:
        begin = time.monotonic()
        with pytest.raises(TimeoutError):
            ask(locate(server.url()), 0.3)
        assert 0.3 <= time.monotonic() - begin < 5


def test_a_unix_socket(tmp_path):
    """A unix socket is asked with localhost for Host."""
    path = f"{tmp_path}/app.sock"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    listener.listen()
    with serving(say(OK), listener) as server:
        answer = ask(locate(f"unix:{path}:/x"), 5)
    assert answer.status == 200
    assert b"\r\nHost: localhost\r\n" in server.requests[0]


def test_a_unix_socket_that_is_not_there(tmp_path):
    """A socket that cannot be connected to raises, and is closed."""
    with pytest.raises(FileNotFoundError):
        ask(locate(f"unix:{tmp_path}/app.sock"), 5)


def test_tls_with_a_certificate_that_is_trusted(certificate, monkeypatch):
    """A certificate that OpenSSL's own variable names is trusted, without any option of ours."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(say(OK), certificates.listener(certificate)) as server:
        assert ask(locate(f"https://127.0.0.1:{server.port}/"), 5).status == 200


def test_tls_with_a_certificate_that_is_not_trusted(certificate):
    """Nothing is asked of a server whose certificate nobody vouches for, unless it is waived."""
    with serving(say(OK), certificates.listener(certificate)) as server:
        target = locate(f"https://127.0.0.1:{server.port}/")
        with pytest.raises(ssl.SSLCertVerificationError):
            ask(target, 5)
        assert server.requests == []
        assert ask(target, 5, verify=False).status == 200


def test_leaving_out_ssl_changes_nothing_where_it_is_there(monkeypatch):
    """A process that has imported ssl keeps it."""
    monkeypatch.setitem(sys.modules, "ssl", ssl)
    leave_out_ssl()
    assert sys.modules["ssl"] is ssl


def test_ssl_left_out_comes_back_for_https(monkeypatch):
    """After ssl was left out, https still finds it."""
    monkeypatch.delitem(sys.modules, "ssl")
    leave_out_ssl()
    assert sys.modules["ssl"] is None
    with serving(say(b"no TLS here")) as server, pytest.raises(ssl.SSLError):
        ask(Target("https://127.0.0.1", ("127.0.0.1", server.port), "/"), 5)
