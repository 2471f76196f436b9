import pytest

from dockerflow_django.client.target import DEFAULT_PORT, LIVENESS_PATH, locate


@pytest.mark.parametrize(
    ("text", "port", "origin", "address", "path"),
    [
        ("", "", "http://127.0.0.1:8000", ("127.0.0.1", DEFAULT_PORT), LIVENESS_PATH),
        ("", "9001", "http://127.0.0.1:9001", ("127.0.0.1", 9001), LIVENESS_PATH),
        ("/health", "9001", "http://127.0.0.1:9001", ("127.0.0.1", 9001), "/health"),
        ("http://app", "9001", "http://app", ("app", 80), LIVENESS_PATH),
        ("http://app/", "", "http://app", ("app", 80), "/"),
        ("https://app/x", "", "https://app", ("app", 443), "/x"),
        ("http://[::1]:81/x", "", "http://[::1]:81", ("::1", 81), "/x"),
        ("http://a:1/x y/ü?q=1 2#f", "", "http://a:1", ("a", 1), "/x%20y/%C3%BC?q=1%202"),
        ("http://a/%20?b=%2F", "", "http://a", ("a", 80), "/%20?b=%2F"),
        ("unix:/run/app.sock", "", "unix:/run/app.sock:", "/run/app.sock", LIVENESS_PATH),
        ("unix:/run/a.sock:/x?y", "", "unix:/run/a.sock:", "/run/a.sock", "/x?y"),
    ],
)
def test_what_is_understood(text, port, origin, address, path):
    """A URL, a path, a unix socket and nothing at all each mean one address and one path."""
    target = locate(text, port)
    assert (target.origin, target.address, target.path) == (origin, address, path)


@pytest.mark.parametrize(
    ("port", "host", "origin"),
    [
        ("9000", "", "http://127.0.0.1:9000"),
        ("9000", "0.0.0.0", "http://127.0.0.1:9000"),
        ("9000", "10.1.2.3", "http://10.1.2.3:9000"),
        ("9000", "::", "http://[::1]:9000"),
        ("9000", "fd00::7", "http://[fd00::7]:9000"),
        ("", "10.1.2.3", "http://127.0.0.1:8000"),
    ],
)
def test_probe_port_is_asked_first(port, host, origin):
    """Without a text the probe port is asked, at its address if it listens at one alone."""
    target = locate("", "8000", port, host)
    assert (target.origin, target.path) == (origin, LIVENESS_PATH)
    assert locate("/x", "8000", port, host).origin == "http://127.0.0.1:8000"


def test_wrong_probe_port_is_named():
    """A probe port that is none is told by its own name."""
    with pytest.raises(ValueError, match="DOCKERFLOW_PROBE_PORT is '90x'"):
        locate("", "8000", "90x")


@pytest.mark.parametrize(
    ("text", "host", "tls"),
    [
        ("http://shop.example:8000/x", "shop.example:8000", False),
        ("https://user:pw@[::1]:8443/x", "[::1]:8443", True),
        ("unix:/run/app.sock", "localhost", False),
    ],
)
def test_host_and_encryption_follow_from_the_url(text, host, tls):
    """The Host header is what the URL says, without user-info; only https is encrypted."""
    target = locate(text)
    assert (target.host, target.tls) == (host, tls)


@pytest.mark.parametrize(
    ("text", "credentials"),
    [
        ("http://app/", ""),
        ("http://user:p%40ss@app/", "user:p@ss"),
        ("http://user@app/", "user:"),
    ],
)
def test_user_info_is_kept_apart(text, credentials):
    """User-info becomes credentials, unquoted, and is in nothing that is shown."""
    target = locate(text)
    assert target.credentials == credentials
    assert target.shown == "http://app/"


def test_the_query_is_not_shown():
    """A query is asked for and not shown, as it may hold a token."""
    target = locate("http://app/x?token=secret")
    assert target.path == "/x?token=secret"
    assert target.shown == "http://app/x"


@pytest.mark.parametrize(
    "text",
    [
        "ftp://app/",
        "app:8000",
        "http://",
        "http:///x",
        "http://app:0/",
        "http://app:65536/",
        "http://app:port/",
        "http://[::1/",
        "http://user:secret@[::1/?secret",
        "htp://user:secret@app/?secret",
    ],
)
def test_what_is_not_understood(text):
    """What is no address raises one sentence that shows it without user-info and query."""
    with pytest.raises(ValueError, match="is no http://, https:// or unix: address") as caught:
        locate(text)
    assert "secret" not in str(caught.value)


def test_unix_needs_a_socket():
    """``unix:`` without a path is told what is missing."""
    with pytest.raises(ValueError, match="unix: lacks the path of a socket"):
        locate("unix:")


@pytest.mark.parametrize("port", ["0", "65536", "80a", " 80", "8_0", "-1", "٨٠"])
def test_port_that_is_no_port(port):
    """A PORT that is no port number is named, with its value."""
    with pytest.raises(ValueError, match=r"PORT is .* not a number from 1 to 65535"):
        locate("", port)
