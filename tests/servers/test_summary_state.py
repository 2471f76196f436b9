"""Queries and users in summaries under real servers: counted, told, and never asked for."""

from collections.abc import Iterator
from functools import partial
from urllib.parse import urlencode
from uuid import uuid4

import pytest

from tests.harness.ports import LOOPBACK, Port
from tests.harness.project import Project
from tests.harness.servers import Server
from tests.servers.heartbeats import side_by_side
from tests.servers.summaries import ERROR, HEADER, INFO, Record, serve_with_access_log, summary

KINDS = ["gunicorn-gthread", "granian-asgi", "uvicorn"]
ALIASES = ["default", "other"]
DOWN = "down"
PASSWORD = "planted-password"
SLEEP_SECONDS = 0.05
SLEEPING = f"SELECT 1 FROM pg_sleep({SLEEP_SECONDS})"

kinds = pytest.mark.parametrize("kind", KINDS)
up_and_down = pytest.mark.parametrize("name", [*KINDS, *(f"{kind} {DOWN}" for kind in KINDS)])


@pytest.fixture(scope="module")
def closed_port() -> Iterator[Port]:
    port = Port()
    yield port
    port.close()


@pytest.fixture(scope="module")
def servers(postgresql, closed_port, tmp_path_factory) -> Iterator[dict[str, Server]]:
    """Start each kind twice: on two databases of PostgreSQL's, and where nobody listens."""
    for alias in ALIASES:
        postgresql.create_database(f"summaries_{alias}")
    up = Project(tmp_path_factory.mktemp("up")).with_databases(
        **{alias: postgresql.settings(f"summaries_{alias}") for alias in ALIASES}
    )
    up.migrate()
    down = Project(tmp_path_factory.mktemp(DOWN)).with_databases(
        default=postgresql.settings("nothing", port=closed_port.number, PASSWORD=PASSWORD)
    )
    projects = dict.fromkeys(KINDS, up) | {f"{kind} {DOWN}": down for kind in KINDS}
    with serve_with_access_log(projects) as servers:
        yield servers
    for alias in ALIASES:
        postgresql.drop_database(f"summaries_{alias}")


@pytest.mark.parametrize("path", ["/queries/", "/queries-async/"])
@pytest.mark.parametrize("aliases", [ALIASES[:1], ALIASES], ids=len)
@kinds
def test_queries_are_counted(servers, kind, path, aliases):
    """Two queries on each alias count, with their time, in both worlds; `DEBUG` is off."""
    record = ask(servers[kind], f"{path}?{query(2, aliases, SLEEPING)}")
    count = 2 * len(aliases)
    assert (record.severity, record.fields["db_queries"]) == (INFO, count)
    # The server's clock and PostgreSQL's may differ by a little.
    assert 0.95 * 1000 * count * SLEEP_SECONDS <= record.fields["t_db"] <= record.fields["t"]


@kinds
def test_each_request_counts_its_own(servers, kind):
    """Eight requests at a time, in both worlds, each count what they did themselves."""
    wanted = {n: ("/queries/", "/queries-async/")[n % 2] for n in range(1, 9)}
    found = side_by_side(
        {
            str(n): partial(ask, servers[kind], f"{path}?{query(n, ALIASES[:1], 'SELECT 1')}")
            for n, path in wanted.items()
        }
    )
    assert {int(n): one.fields["db_queries"] for n, one in found.items()} == {n: n for n in wanted}


@pytest.mark.parametrize(
    ("path", "queries"), [("/user/", 2), ("/user-async/", 2), ("/session/", None)]
)
@kinds
def test_user_is_told_where_the_view_looked(servers, kind, path, queries):
    """A view that looks at the user or the session has shown who it is: `uid`, as text."""
    server = servers[kind]
    logged_in = server.get("/login/")
    record = ask(server, path, Cookie=cookie_of(logged_in))
    assert record.fields["uid"] == logged_in.body.decode()
    assert queries in {None, record.fields["db_queries"]}


@pytest.mark.parametrize("path", ["/user/", "/user-async/"])
@kinds
def test_anonymous_user_is_nobody(servers, kind, path):
    """A view that looked and found nobody has no `uid`."""
    assert "uid" not in ask(servers[kind], path).fields


@kinds
def test_login_is_told(servers, kind):
    """The request that logs in is the user's already."""
    assert ask(servers[kind], "/login/").fields["uid"].isdecimal()


@pytest.mark.parametrize("path", ["/plain/", "/plain-async/", "/missing-returned/"])
@up_and_down
def test_nothing_is_asked_for_the_summary(servers, name, path):
    """A session's cookie makes no query, no `Vary` and no `uid`, the database up or down (D11)."""
    server = servers[name]
    cookie = "sessionid=" + "a" * 32 if DOWN in name else cookie_of(server.get("/login/"))
    rid = uuid4().hex
    answer = server.get(path, headers={HEADER: rid, "Cookie": cookie})
    record = summary(server, rid)
    assert (record.severity, record.fields["db_queries"], record.fields["t_db"]) == (INFO, 0, 0)
    assert not {"Vary", "Set-Cookie"} & set(answer.headers)
    assert "uid" not in record.fields


@pytest.mark.parametrize("path", ["/user/", "/user-async/", "/queries/", "/queries-async/"])
@kinds
def test_database_that_is_down_is_told_once(servers, kind, path):
    """A view that needs the database fails, with one record that tells why, and no password."""
    server = servers[f"{kind} {DOWN}"]
    record = ask(server, path, Cookie="sessionid=" + "a" * 32)
    assert (record.severity, record.fields["code"], record.fields["errno"]) == (ERROR, 500, 500)
    assert record.fields["msg"].startswith("OperationalError: ")
    assert LOOPBACK in record.fields["msg"]
    assert not [line for line in server.lines() if PASSWORD in line]


def ask(server: Server, path: str, **headers: str) -> Record:
    rid = uuid4().hex
    server.get(path, headers={HEADER: rid, **headers})
    return summary(server, rid)


def query(n: int, aliases: list[str], sql: str) -> str:
    return urlencode({"n": n, "alias": aliases, "sql": sql}, doseq=True)


def cookie_of(answer) -> str:
    return answer.headers["Set-Cookie"].partition(";")[0]
