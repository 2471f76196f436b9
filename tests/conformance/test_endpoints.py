"""Requirements of a running service: each fails exactly where it should."""

import http.client
import json
import socket
import ssl
import threading
from http.server import ThreadingHTTPServer

import pytest

from dockerflow_django.client.http_get import Answer
from dockerflow_django.client.target import locate
from dockerflow_django.conformance.endpoints import SERVICE, port
from dockerflow_django.conformance.requirement import judge_all
from dockerflow_django.conformance.service import Service, UnreachableError, _follow
from tests.certificates import certificate  # noqa: F401
from tests.conformance.results import named
from tests.conformance.stranger import (
    LANDING_PAGE,
    RIGHT,
    VERSION_OBJECT,
    _handler,
    redirect,
    slow,
    stranger,
    version,
)

UNAVAILABLE = (503, '{"status": "error"}')
LOGIN = redirect("/login?next=/__heartbeat__")


def judge(address, **options):
    """Return the results of every requirement by name."""
    service = Service(address, **options)
    service.connect()
    return {result.requirement.name: result for result in judge_all("it", SERVICE, service)}


def test_right_service():
    """A service of another language, with no slashes at the end and no JSON in its heartbeat."""
    with stranger() as address:
        results = judge(address)
    assert named(results, "fail", "warn") == set()
    assert named(results, "ok") == {
        "version",
        "version-keys",
        "version-values",
        "heartbeat",
        "lbheartbeat",
        "no-redirect",
    }


FAULTY = {
    "no version": ({"/__version__": (404, "")}, {"version"}),
    "a page for a version": ({"/__version__": LANDING_PAGE}, {"version"}),
    "a list for a version": ({"/__version__": (200, "[]")}, {"version"}),
    "a version behind a login": ({"/__version__": LOGIN}, {"version"}),
    "a version without a commit": (
        {"/__version__": (200, '{"source": "", "version": "", "build": ""}')},
        {"version-keys"},
    ),
    "a version that is a number": ({"/__version__": version(version=7)}, {"version-keys"}),
    "no heartbeat": ({"/__heartbeat__": (404, "")}, {"heartbeat"}),
    "a heartbeat that fails with 400": ({"/__heartbeat__": (400, "")}, {"heartbeat"}),
    "a heartbeat behind a login": (
        {"/__heartbeat__": LOGIN, "/login": LANDING_PAGE},
        {"heartbeat"},
    ),
    "a heartbeat that hangs": ({"/__heartbeat__": slow(0.6)}, {"heartbeat"}),
    "no load balancer's endpoint": ({"/__lbheartbeat__": (404, "")}, {"lbheartbeat"}),
    "nothing for the load balancer": ({"/__lbheartbeat__": (204, "")}, {"lbheartbeat"}),
    "an endpoint that fails in an outage": (
        {"/__heartbeat__": UNAVAILABLE, "/__lbheartbeat__": UNAVAILABLE},
        {"lbheartbeat"},
    ),
}


@pytest.mark.parametrize(("changed", "failing"), FAULTY.values(), ids=FAULTY)
def test_faulty_service(changed, failing):
    """A service with one fault fails one requirement."""
    with stranger(RIGHT | changed) as address:
        results = judge(address, timeout_seconds=0.3)
    assert named(results, "fail") == failing


def test_one_page_for_every_path():
    """A single-page application that answers whatever is asked has no endpoint at all."""
    with stranger({}, otherwise=LANDING_PAGE) as address:
        results = judge(address)
    assert named(results, "fail") == {"version", "heartbeat", "lbheartbeat"}
    assert "a path that does not exist" in results["lbheartbeat"].finding.seen


def test_page_that_names_the_path():
    """The same holds if the page repeats what was asked."""
    answers = {path: (200, f"you asked for {path}") for path in RIGHT}

    class Echo(dict):
        def get(self, path, otherwise):
            return answers.get(path, (200, f"you asked for {path}"))

    with stranger(Echo()) as address:
        assert "heartbeat" in named(judge(address), "fail")


def test_proxy_without_a_service():
    """A 503 for everything may come from a proxy: it says nothing of the heartbeat."""
    with stranger({}, otherwise=(503, "no backend")) as address:
        results = judge(address)
    assert named(results, "fail") == {"version", "lbheartbeat"}
    assert results["heartbeat"].status == "skip"


def test_failing_heartbeat_conforms():
    """A heartbeat of 5xx is what Dockerflow asks for, and shows that the other asks nobody."""
    with stranger(RIGHT | {"/__heartbeat__": UNAVAILABLE}) as address:
        results = judge(address)
    assert named(results, "fail", "warn") == set()
    assert results["lbheartbeat-checks-nothing"].status == "ok"


def test_heartbeat_that_names_its_checks():
    """Checks that a heartbeat names are shown; a list without any is a warning."""
    for body, status in (('{"checks": {"db": "ok"}}', "ok"), ('{"checks": {}}', "warn")):
        with stranger(RIGHT | {"/__heartbeat__": (200, body)}) as address:
            assert judge(address)["heartbeat-checks"].status == status


def test_blank_values_are_a_warning():
    """Only the version may be blank."""
    with stranger(RIGHT | {"/__version__": version(build=" ")}) as address:
        results = judge(address)
    assert named(results, "fail", "warn") == {"version-values"}
    assert results["version-values"].finding.seen == "blank: build"


def test_redirects_to_the_same_endpoint():
    """A slash at the end is found behind the redirect: a warning, no failure."""
    answers = {f"{path}/": answer for path, answer in RIGHT.items()}
    answers |= {path: redirect(f"{path}/", 301) for path in RIGHT}
    with stranger(answers) as address:
        results = judge(address)
    assert named(results, "fail", "warn") == {"no-redirect"}


def test_page_that_changes():
    """The same holds if each page has a time or a token in it."""
    count = iter(range(100))

    def page():
        return 200, f"<html>{next(count)}</html>"

    with stranger({}, otherwise=page) as address:
        assert {"heartbeat", "lbheartbeat"} <= named(judge(address), "fail")


def test_errors_with_status_200():
    """A service that says 200 for a path that it does not have is no false alarm."""
    with stranger(otherwise=(200, '{"error": "no such path"}')) as address:
        assert named(judge(address), "fail", "warn") == set()


def test_redirects_that_never_end():
    """A redirect to itself is followed a few times, and is then the answer."""
    loop = {path: redirect(path) for path in RIGHT}
    with stranger(RIGHT | {"/__heartbeat__": loop["/__heartbeat__"]}) as address:
        results = judge(address)
    assert named(results, "fail") == {"heartbeat"}


def test_redirect_to_another_host_is_not_followed():
    """Credentials and questions stay with the host that was named."""
    with stranger() as other:
        elsewhere = other.replace("127.0.0.1", "localhost")
        answers = {path: redirect(f"{elsewhere}{path}") for path in RIGHT}
        with stranger(answers) as address:
            results = judge(address)
    assert named(results, "fail") == {"version", "heartbeat", "lbheartbeat"}
    assert "a redirect to http://localhost:" in results["version"].finding.seen


@pytest.mark.parametrize(
    ("location", "followed", "credentials"),
    [
        ("/__version__/", "http://shop.example/__version__/", "ann:secret"),
        ("https://shop.example/__version__", "https://shop.example/__version__", "ann:secret"),
        ("//SHOP.example/__version__", "http://SHOP.example/__version__", "ann:secret"),
        ("http://www.shop.example/__version__", "http://www.shop.example/__version__", ""),
        ("http://other.example/__version__", None, None),
        ("/login", None, None),
        ("http://[broken/__version__", None, None),
        ("ftp://shop.example/__version__", None, None),
        ("", None, None),
    ],
)
def test_followed(location, followed, credentials):
    """Only what is the same endpoint is followed; credentials stay with the host."""
    target = locate("http://ann:secret@shop.example/__version__")
    following = _follow(target, Answer(301, "", location, ""))
    assert (following and following.shown) == followed
    assert (following and following.credentials) == credentials


def test_tls_is_kept():
    """A redirect from https to http is not followed."""
    target = locate("https://shop.example/__version__")
    assert _follow(target, Answer(301, "", "http://shop.example/__version__", "")) is None


def test_port():
    """8000 is recommended; another number may be how it is published."""
    assert port.judge(Service("http://shop.example:8000")).met is True
    assert port.judge(Service("http://shop.example")).met is None


def encrypted(path):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return lambda plain: context.wrap_socket(plain, server_side=True)


def test_redirect_to_tls(certificate):
    """HTTP that sends everybody to https is a warning; what is there is judged."""
    with stranger(wrap=encrypted(certificate)) as secure:
        answers = {path: redirect(f"{secure}{path}", 301) for path in RIGHT}
        with stranger(answers) as address:
            results = judge(address, verify=False)
    assert named(results, "fail", "warn") == {"no-redirect"}


def test_tls(certificate):
    """A certificate that nobody vouches for is one line that names the option."""
    with stranger(wrap=encrypted(certificate)) as address:
        with pytest.raises(UnreachableError, match=r"self-signed.*--insecure"):
            judge(address)
        assert named(judge(address, verify=False), "fail", "warn") == set()


def test_below_a_path():
    """A service may lie below a path, with or without a slash at the end."""
    with stranger({f"/shop{path}": answer for path, answer in RIGHT.items()}) as address:
        for text in (f"{address}/shop", f"{address}/shop/"):
            assert named(judge(text), "fail") == set()


def test_unix_socket(tmp_path):
    """A unix socket is asked, and has no port to judge."""

    class Server(ThreadingHTTPServer):
        address_family = socket.AF_UNIX

        def server_bind(self):
            self.socket.bind(self.server_address)
            self.server_name, self.server_port = "localhost", 0

        def get_request(self):
            return self.socket.accept()[0], ("local", 0)

    with Server(str(tmp_path / "s"), _handler(RIGHT, (404, ""))) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        results = judge(f"unix:{tmp_path}/s")
        server.shutdown()
        thread.join()
    assert named(results, "fail", "warn") == set()
    assert results["port"].status == "skip"


def test_large_version_object():
    """A version object is read to its end, and one with a byte order mark is read as well."""
    large = json.dumps(VERSION_OBJECT | {"notes": "x" * 50_000})
    for body in (large, f"\ufeff{large}"):
        with stranger(RIGHT | {"/__version__": (200, body)}) as address:
            assert named(judge(address), "fail", "warn") == set()


def test_deeply_nested_version():
    """JSON that is too deep to be read is no version object."""
    with stranger(RIGHT | {"/__version__": (200, "[" * 100_000)}) as address:
        assert named(judge(address), "fail") == {"version"}


def test_nothing_listens(black_hole):
    """A host that does not answer is one line that names the address, without credentials."""
    closed = socket.create_server(("127.0.0.1", 0))
    port = closed.getsockname()[1]
    closed.close()
    with pytest.raises(UnreachableError) as caught:
        judge(f"http://ann:secret@127.0.0.1:{port}")
    assert str(caught.value) == f"http://127.0.0.1:{port}: nothing listens there"
    with pytest.raises(UnreachableError, match=r"no complete answer within 0\.1 s"):
        judge(f"http://127.0.0.1:{black_hole.port}", timeout_seconds=0.1)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("localhost:8000", "write http://localhost:8000"),
        ("ann:secret@host", "'host' is no URL"),
        ("", "is no URL"),
        ("ftp://host", "is no http://"),
        ("http://", "is no http://"),
        ("http://host:99999", "is no http://"),
        ("http://host/__heartbeat__", "is an endpoint"),
        ("http://host/__heartbeat__/liveness/", "is an endpoint"),
        ("http://host/?token=secret", "leave out"),
        ("unix:", "lacks the path"),
    ],
)
def test_not_an_address(text, reason):
    """What is no address is said in one line that shows no secret."""
    with pytest.raises(ValueError, match=reason) as caught:
        Service(text)
    assert "secret" not in str(caught.value)


def test_head_is_not_asked():
    """HEAD is answered by 405 here, and nothing comes of it."""
    with stranger() as address:
        connection = http.client.HTTPConnection(address.removeprefix("http://"))
        connection.request("HEAD", "/__lbheartbeat__")
        assert connection.getresponse().status == 405
        connection.close()
        assert named(judge(address), "fail", "warn") == set()
