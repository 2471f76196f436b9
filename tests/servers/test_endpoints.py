"""Every endpoint answers under every server, whatever stands before a view of the project.

The project is as strict as it can be: one allowed host, and a redirect of all plain HTTP.
"""

import json
from shutil import copyfile

import pytest

from dockerflow_django.endpoints.answers import METHODS, ErrorEndpointCalledError
from tests.harness.project import Project, sqlite
from tests.harness.servers import KINDS, serve_all

VERSION = {"version": "1.2.3", "commit": "abc", "source": "https://shop.example", "build": ""}
# What a kubelet sends: the pod's address.
FOREIGN_HOST = "10.20.30.40:8000"
ALLOWED_HOST = "shop.example"
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
SECURE = {"X-Forwarded-Proto": "https"}
# Django's own configuration shows errors only where DEBUG is on.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"]},
}
PREFIXES = {"": "root", "/shop": "prefix"}
BODIES = {
    "/__version__": VERSION,
    "/__lbheartbeat__": None,
    "/__heartbeat__": {"status": "ok"},
    "/__heartbeat__/liveness": {"status": "ok"},
    "/__heartbeat__/readiness": {"status": "ok"},
    "/__heartbeat__/startup": {"status": "ok"},
}
ABSURD_ACCEPTS = [
    "",
    "*/*",
    "garbage",
    "text/plain",
    "text/html;q=0",
    "text/html-not/at/all",
    "*; q=.2, */*; q=.2",
    "application/json;q=nonsense;;=,",
    "," * 200,
    b"\xe9\xff",
    "a/b;" * 500,
]


@pytest.fixture(scope="module")
def servers(tmp_path_factory, migrated_sqlite):
    """Start each kind of server twice, at the root and below a prefix; `/__error__` is on below."""
    folder = tmp_path_factory.mktemp("endpoints")
    copyfile(migrated_sqlite, folder / "db.sqlite3")
    (folder / "version.json").write_text(json.dumps(VERSION))
    project = (
        Project(folder)
        .with_databases(default=sqlite(folder / "db.sqlite3"))
        .with_settings(
            ALLOWED_HOSTS=[ALLOWED_HOST],
            LOGGING=LOGGING,
            SECURE_SSL_REDIRECT=True,
            SECURE_PROXY_SSL_HEADER=["HTTP_X_FORWARDED_PROTO", "https"],
        )
    )
    wanted = {
        f"{kind} {name}": {
            "kind": kind,
            "project": project.with_settings(DOCKERFLOW_ERROR_ENDPOINT=bool(prefix)),
            "prefix": prefix,
        }
        for kind in KINDS
        for prefix, name in PREFIXES.items()
    }
    with serve_all(wanted) as servers:
        yield servers


@pytest.fixture(params=[f"{kind} {name}" for kind in KINDS for name in PREFIXES.values()])
def server(request, servers):
    return servers[request.param]


def test_project_is_strict(server):
    """What is not the app's is refused to a foreign host and redirected to HTTPS."""
    assert server.get("/plain/", host=FOREIGN_HOST).status == 400
    assert server.get("/plain/", host=ALLOWED_HOST).status == 301
    assert server.get("/plain/", host=ALLOWED_HOST, headers=SECURE).status == 200


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("slash", ["", "/"])
def test_answers_a_foreign_host(server, path, slash):
    """A probe by pod address has its answer, uncached, without cookie or redirect."""
    answer = server.get(path + slash, host=FOREIGN_HOST)
    body = json.loads(answer.body) if answer.body else None
    assert (answer.status, body) == (200, BODIES[path])
    # The load balancer's answer has no body, so it is the one that is no JSON.
    kind = "text/plain" if body is None else "application/json"
    assert answer.headers["Content-Type"] == kind
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"Set-Cookie", "Vary", "Location"} & set(answer.headers)


@pytest.mark.parametrize("path", BODIES)
def test_answers_head(server, path):
    """HEAD has the status and headers of GET, and no body."""
    get, head = (server.request(method, path, host=FOREIGN_HOST) for method in METHODS)
    assert (head.status, head.body) == (get.status, b"")
    for name in ("Content-Type", "Cache-Control"):
        assert head.headers[name] == get.headers[name]
    # A server may leave the length of nothing out (RFC 9110, section 8.6).
    length = get.headers["Content-Length"]
    assert head.headers["Content-Length"] in ({length, None} if length == "0" else {length})


@pytest.mark.parametrize("path", BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "BREW"])
def test_refuses_other_methods(server, path, method):
    """Any other method is refused with 405, the methods that do, and JSON (D21)."""
    answer = server.request(method, path, host=FOREIGN_HOST, body=b"a=1")
    assert answer.status == 405
    assert answer.headers["Allow"] == ", ".join(METHODS)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(answer.json()) == {"error"}


def test_unread_body_spoils_nothing(server):
    """A body that nobody reads is not taken for the connection's next request."""
    smuggled = b"GET /plain/ HTTP/1.1\r\nHost: x\r\n\r\n" * 2000
    with server.connect() as connection:
        path = server.path("/__lbheartbeat__")
        assert connection.request("POST", path, host=FOREIGN_HOST, body=smuggled).status == 405
        try:
            following = connection.request("GET", path, host=FOREIGN_HOST)
        except ConnectionError:
            return  # the server has closed instead, which is as safe
        assert (following.status, following.body) == (200, b"")


@pytest.mark.parametrize("accept", ABSURD_ACCEPTS)
def test_absurd_accept_headers_are_answered(server, accept):
    """Whatever `Accept` holds, short of wanting HTML, the answer is the same JSON."""
    answer = server.get("/__heartbeat__", host=FOREIGN_HOST, headers={"Accept": accept})
    assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert answer.headers["Content-Type"] == "application/json"


def test_browser_goes_the_long_way(server):
    """A browser is answered behind host validation and redirect, by the included view."""
    for path in BODIES:
        assert server.get(path, host=FOREIGN_HOST, headers=BROWSER).status == 400
        assert server.get(path, host=ALLOWED_HOST, headers=BROWSER).status == 301
        assert server.get(path, host=ALLOWED_HOST, headers=BROWSER | SECURE).status == 200


@pytest.mark.parametrize(
    "path", ["/__heartbeat__/other", "/__heartbeat__/%ff%fe", "/__version__%ff"]
)
def test_unknown_and_undecodable_paths_are_missing(server, path):
    """A probe that does not exist, and a path that is no UTF-8, are 404 and never an error."""
    assert server.get(path, host=ALLOWED_HOST, headers=SECURE).status == 404
    assert server.get(path, host=FOREIGN_HOST).status == 400


@pytest.mark.parametrize("path", [b"/__heartbeat__/\xff", b"/__heartbeat__\xff\xfe", b"/\x80"])
def test_raw_bytes_in_the_path_are_refused(server, path):
    """Bytes that no client may send are the client's error, and harm nothing."""
    assert server.get(path, host=ALLOWED_HOST, headers=SECURE).status in {400, 404}
    assert server.get("/__lbheartbeat__", host=FOREIGN_HOST).status == 200


def test_error_endpoint_is_missing_unless_it_is_on(servers):
    """Where it is off nobody can raise errors at `/__error__` (D12)."""
    for kind in KINDS:
        answer = servers[f"{kind} root"].get("/__error__", host=FOREIGN_HOST)
        assert (answer.status, set(answer.json())) == (404, {"error"})


@pytest.mark.parametrize("kind", KINDS)
def test_error_endpoint_raises_where_it_is_on(servers, kind):
    """Where it is on, `/__error__` raises: the client has a 500, the log the traceback."""
    server = servers[f"{kind} prefix"]
    mark = len(server.output)
    for path in ("/__error__", "/__error__/"):
        assert server.get(path, host=FOREIGN_HOST).status == 500
    server.wait_for_line(f"^.*{ErrorEndpointCalledError.__name__}: ", after=mark)
    assert server.request("HEAD", "/__error__", host=FOREIGN_HOST).status == 500
    assert server.request("POST", "/__error__", host=FOREIGN_HOST).status == 405
