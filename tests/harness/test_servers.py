"""Each kind of server serves the project, tells of itself, stops and leaves nothing."""

from signal import SIGTERM

import psutil
import pytest

from tests.harness.ports import accepts
from tests.harness.processes import is_alive
from tests.harness.project import Project
from tests.harness.servers import KINDS, Server, serve_all
from tests.harness.waiting import wait_until

# Uvicorn and runserver end by the signal itself once they have finished.
GRACEFUL = {0, -SIGTERM}


@pytest.fixture(scope="module")
def servers(tmp_path_factory):
    """Start one server of each kind, each below a prefix and in a folder of its own."""
    wanted = {
        kind: {
            "kind": kind,
            "project": Project(tmp_path_factory.mktemp(kind)),
            "prefix": "/shop",
        }
        for kind in KINDS
    }
    with serve_all(wanted) as servers:
        yield servers


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_serves_below_its_prefix(servers, kind):
    """A prefix is stripped from the path, and Django knows it."""
    where = servers[kind].get("/where/").json()
    assert (where["script_name"], where["path"], where["path_info"]) == (
        "/shop",
        "/shop/where/",
        "/where/",
    )


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_family_holds_the_worker(servers, kind):
    """The process that runs the views is of the server's family; threads and memory are counted."""
    server = servers[kind]
    assert server.get("/where/").json()["pid"] in {process.pid for process in server.family()}
    # A request's thread may end between the two looks.
    wait_until(lambda: 1 <= server.own_threads() <= server.threads())
    assert server.rss() > 20 * 2**20


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/plain/", 200),
        ("/plain-async/", 200),
        ("/moved/", 301),
        ("/missing-raised/", 404),
        ("/missing-returned/", 404),
        ("/forbidden/", 403),
        ("/broken/", 500),
        ("/broken-async/", 500),
        ("/unavailable/", 503),
        ("/too-large/", 413),
        ("/raised-in-middleware/", 500),
        ("/items/7/", 200),
        ("/reset/MQ/set-password/", 200),
        ("/stream/", 200),
        ("/stream-async/", 200),
        ("/file/", 200),
        ("/slow/?seconds=0", 200),
        ("/slow-async/?seconds=0", 200),
        ("/user/", 200),
        ("/user-async/", 200),
    ],
)
def test_view_answers(servers, kind, path, status):
    """Every view of the project answers under every server as its name says."""
    assert servers[kind].get(path).status == status


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_echoes_a_body(servers, kind):
    """A body that is sent comes back."""
    assert servers[kind].request("POST", "/echo/", body=b"\x00abc").body == b"\x00abc"


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_stream_fails_half_way(servers, kind):
    """The broken stream breaks: what comes is its first part, an error page, or nothing."""
    for path in ("/stream-broken/", "/stream-broken-async/"):
        try:
            answer = servers[kind].get(path)
        except ConnectionError:
            continue
        assert answer.status == 500 or answer.body in (b"", b"one\n")


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("path", ["/blocked/", "/blocked-async/"])
def test_blocked_view_is_released(servers, kind, path):
    """A view that blocks says that it has begun, and answers once its file is there."""
    server = servers[kind]
    name = path.strip("/")
    with server.connect() as connection:
        connection.send("GET", server.path(f"{path}?name={name}"))
        wait_until(lambda: server.project.count(f"{name}.waiting"))
        server.project.make(f"{name}.release")
        assert connection.read().body == b"released"


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gunicorn-gthread", "uvicorn"])
def test_views_with_a_database(serve, project, kind):
    """With a migrated database the session counts and queries run, over several aliases."""
    other = {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
    server = serve(kind, project.with_databases(other=other))
    first = server.get("/session/")
    cookie = {"Cookie": first.headers["Set-Cookie"].partition(";")[0]}
    assert (first.body, server.get("/session/", headers=cookie).body) == (b"1", b"2")
    for path in ("/queries/", "/queries-async/"):
        assert server.get(f"{path}?n=3&alias=default&alias=other").body == b"6"


@pytest.mark.long
@pytest.mark.parametrize("kind", KINDS)
def test_stops_and_leaves_nothing(serve, project, kind):
    """SIGTERM ends an idle server soon, with its workers, its port free, its folder as before."""
    before = set(project.folder.iterdir())
    server = serve(kind, project)
    family = server.family()
    ended = server.stop(SIGTERM)
    assert ended.code in GRACEFUL
    assert ended.seconds < 5
    assert not accepts(server.address[1])
    wait_until(lambda: not any(map(is_alive, family)))
    assert set(project.folder.iterdir()) == before


def test_settings_and_environment_reach_the_project(serve, project):
    """Settings, environment and options given for one server are in force there."""
    server = serve(
        "uvicorn",
        project.with_settings(ALLOWED_HOSTS=["shop.example"]).with_environ(TZ="UTC"),
        options=["--header", "X-Option:yes"],
    )
    assert server.get("/plain/").status == 400
    answer = server.get("/plain/", host="shop.example")
    assert (answer.status, answer.headers["X-Option"]) == (200, "yes")


def test_server_that_cannot_start_shows_its_output(serve, project):
    """A server that ends instead of answering fails at once, with what it said."""
    with pytest.raises(AssertionError, match="uvicorn has ended") as failed:
        serve("uvicorn", project.with_environ(PROJECT_SETTINGS="no JSON"))
    assert "JSONDecodeError" in "".join(failed.value.__notes__)


def test_server_that_never_answers_fails_in_time(serve, project, monkeypatch):
    """A server that takes too long fails the test after the given time and is killed."""
    monkeypatch.setattr(Server, "start_seconds", 0.01)
    with pytest.raises(AssertionError, match=r"not within 0\.01 s: runserver answers"):
        serve("runserver", project)
    assert not [p for p in psutil.process_iter() if is_of(project, p)]


@pytest.mark.long
def test_starting_several_fails_as_one(project):
    """Where one of several servers cannot start, the others are ended."""
    wanted = {
        "well": {"kind": "uvicorn", "project": project},
        "ill": {"kind": "uvicorn", "project": project.with_environ(PROJECT_SETTINGS="no JSON")},
    }
    with pytest.raises(AssertionError, match="uvicorn has ended"):
        serve_all(wanted).__enter__()
    assert not [p for p in psutil.process_iter() if is_of(project, p)]


def is_of(project, process: psutil.Process) -> bool:
    try:
        return process.environ().get("PROJECT_FOLDER") == str(project.folder)
    except psutil.Error:
        return False
