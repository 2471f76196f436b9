"""Clients that go away, and those that send ids as no client should, under every server.

The table in `docs/explanation/client-gone.rst` says the same of a client that goes.
"""

import re
from collections import Counter
from collections.abc import Iterator
from uuid import uuid4

import pytest

from dockerflow_django.summary.record import SUMMARY_LOGGER
from dockerflow_django.summary.verdict import CLIENT_CLOSED_REQUEST
from tests.harness.http import Connection
from tests.harness.project import Project
from tests.harness.servers import Server
from tests.harness.waiting import wait_until
from tests.project.views.streams import LONG_PART, LONG_PARTS, PARTS
from tests.servers.summaries import (
    ASGI,
    ERROR,
    HEADER,
    INFO,
    KINDS,
    PATIENCE_SECONDS,
    SHORT_BODIES,
    WARNING,
    WSGI,
    Record,
    records,
    serve_with_access_log,
    summaries,
    summary,
)

BIG_FILE = "big"
BIG_FILE_BYTES = 32 * 2**20
STREAM_BYTES = len(PARTS[0]) + LONG_PARTS * len(LONG_PART)

own_world = pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((kind, "/stream-long/") for kind in WSGI),
        *((kind, "/stream-long-async/") for kind in ASGI),
    ],
)
other_world = pytest.mark.parametrize(
    ("kind", "path"),
    [
        *((kind, "/stream-long-async/") for kind in WSGI),
        *((kind, "/stream-long/") for kind in ASGI),
    ],
)


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Server]]:
    projects = {kind: Project(tmp_path_factory.mktemp(kind)) for kind in KINDS}
    for project in projects.values():
        with (project.folder / BIG_FILE).open("wb") as file:
            file.truncate(BIG_FILE_BYTES)
    with serve_with_access_log(projects) as servers:
        yield servers
        for server in servers.values():
            server.stop(timeout=PATIENCE_SECONDS)
            assert_each_once(server)


@pytest.fixture
def rid() -> str:
    """Give an id that is a file's name as well."""
    return uuid4().hex


@pytest.mark.parametrize("path", ["/blocked/", "/blocked-async/"])
@pytest.mark.parametrize("kind", ASGI)
def test_client_that_leaves_a_view_is_known(servers, rid, kind, path):
    """ASGI servers tell it while the view runs: 499 at once, as no status is sent (D8)."""
    server = servers[kind]
    begin(server, f"{path}?name={rid}", rid).hang_up()
    record = summary(server, rid)
    server.project.make(f"{rid}.release")
    assert (told(record), record.fields["route"]) == ((WARNING, 499, 499), path.lstrip("/"))
    assert "size" not in record.fields


@pytest.mark.parametrize("path", ["/blocked/", "/blocked-async/"])
@pytest.mark.parametrize("kind", WSGI)
def test_client_that_leaves_a_view_is_unknown(servers, rid, kind, path):
    """WSGI has no word for it: the record is the view's."""
    server = servers[kind]
    begin(server, f"{path}?name={rid}", rid).hang_up()
    server.project.make(f"{rid}.release")
    assert told(summary(server, rid)) == (INFO, 200, 0)


@own_world
def test_client_that_leaves_a_stream_is_known(servers, rid, kind, path):
    """A stream of the server's own world is closed early: 499 after the 200 that was sent."""
    server = servers[kind]
    connection = begin(server, f"{path}?name={rid}", rid)
    read_until(connection, PARTS[0])
    connection.hang_up()
    if kind in ASGI:
        summary(server, rid)  # at once; under WSGI a part has to be sent
    server.project.make(f"{rid}.release")
    record = summary(server, rid)
    assert told(record) == (WARNING, 200, CLIENT_CLOSED_REQUEST)
    assert len(PARTS[0]) <= record.fields["size"] < STREAM_BYTES


@other_world
def test_client_that_leaves_a_stream_read_ahead_is_unknown(servers, rid, kind, path):
    """A stream of the other world is read to its end before a part goes out."""
    server = servers[kind]
    begin(server, f"{path}?name={rid}", rid).hang_up()
    server.project.make(f"{rid}.release")
    record = summary(server, rid)
    assert (told(record), record.fields["size"]) == ((INFO, 200, 0), STREAM_BYTES)


@pytest.mark.parametrize("kind", KINDS)
def test_client_that_leaves_a_file_is_unknown(servers, rid, kind):
    """Nobody tells how much of a file was sent: the record has the size that was announced."""
    server = servers[kind]
    with server.connect(PATIENCE_SECONDS) as connection:
        connection.send("GET", f"/file/?name={BIG_FILE}", headers={HEADER: rid})
        read_until(connection, b"\r\n\r\n")
    record = summary(server, rid)
    assert (told(record), record.fields["size"]) == ((INFO, 200, 0), BIG_FILE_BYTES)


@pytest.mark.parametrize("kind", WSGI)
def test_client_that_breaks_its_body_off(servers, rid, kind):
    """A connection that is reset while the body is read is Django's error, or a short body."""
    server = servers[kind]
    upload(server, rid).hang_up(reset=True)
    record = summary(server, rid)
    if kind in SHORT_BODIES:
        assert told(record) == (INFO, 200, 0)
    else:
        assert told(record) == (ERROR, 500, 500)
        assert record.fields["msg"].startswith("UnreadablePostError: ")


@pytest.mark.parametrize("kind", WSGI)
def test_client_that_ends_its_body_early(servers, rid, kind):
    """A connection that is closed in good order leaves a short body: the record is the view's."""
    server = servers[kind]
    upload(server, rid).hang_up()
    assert told(summary(server, rid)) == (INFO, 200, 0)


@pytest.mark.parametrize("kind", ASGI)
def test_client_that_leaves_in_its_body_has_made_no_request(servers, rid, kind):
    """Under ASGI Django reads the body first, and calls nobody where there is none."""
    server = servers[kind]
    upload(server, rid, waiting=0).hang_up()
    following = uuid4().hex
    assert server.get("/plain/", headers={HEADER: following}).status == 200
    assert told(summary(server, following)) == (INFO, 200, 0)
    assert summaries(server, rid) == []
    assert server.project.count(f"{rid}.waiting") == 0


TOO_LONG = "x" * 129
HOSTILE_IDS = {
    "too long": TOO_LONG.encode(),
    "20 kB": b"x" * 20_000,
    "folded": b"one\r\n two",
    "NUL": b"one\0two",
    "Latin-1": b"h\xf6he",
    "UTF-8": "höhe".encode(),
    "space": b"one two",
    "quotes": b'","code":200',
    "empty": b"",
    "twice": b"one\r\nX-Request-ID: two",
    "twice the same": b"one\r\nx-request-id: one",
}
# What servers may refuse themselves; the rest reaches the application everywhere.
REFUSED = {"20 kB", "folded", "NUL"}


@pytest.mark.parametrize("name", HOSTILE_IDS)
@pytest.mark.parametrize("kind", KINDS)
def test_invalid_id_is_replaced(servers, kind, name):
    """What is no id is replaced by 32 hex digits, in the record as in the response (D7)."""
    server = servers[kind]
    answer = server.get("/plain/", headers={HEADER: HOSTILE_IDS[name]})
    if name in REFUSED and answer.status in {400, 431}:
        assert HEADER not in answer.headers
        return
    (given,) = answer.headers.get_all(HEADER)
    assert (answer.status, bool(re.fullmatch("[0-9a-f]{32}", given))) == (200, True)
    assert told(summary(server, given)) == (INFO, 200, 0)


@pytest.mark.parametrize("kind", KINDS)
def test_valid_id_is_kept(servers, kind):
    """128 characters of those that are allowed are the id, in the record as in the response."""
    wanted = uuid4().hex + "AZaz09._-+/=:@" * 6 + "0123456789ab"
    answer = servers[kind].get("/plain/", headers={HEADER: wanted})
    assert (len(wanted), answer.headers.get_all(HEADER)) == (128, [wanted])
    assert told(summary(servers[kind], wanted)) == (INFO, 200, 0)


def assert_each_once(server: Server) -> None:
    """See, at the very end, that nobody who had gone was told of again when the view was done."""
    all_of_them = [one for one in records(server) if one.logger == SUMMARY_LOGGER]
    rids = Counter(one.fields["rid"] for one in all_of_them)
    assert set(rids.values()) == {1}
    assert not [line for line in server.lines() if TOO_LONG in line]


def begin(server: Server, path: str, rid: str) -> Connection:
    """Send a request, and wait until its view has begun."""
    connection = server.connect(PATIENCE_SECONDS)
    connection.send("GET", path, headers={HEADER: rid})
    wait_for_view(server, rid)
    return connection


def upload(server: Server, rid: str, *, waiting: int = 1) -> Connection:
    """Send a part of a body; wait for its view, where it is called by then."""
    connection = server.connect(PATIENCE_SECONDS)
    headers = {HEADER: rid, "Content-Length": "1000"}
    connection.send("POST", f"/upload/?name={rid}", headers=headers, body=b"part")
    if waiting:
        wait_for_view(server, rid)
    return connection


def wait_for_view(server: Server, rid: str) -> None:
    wait_until(
        lambda: server.project.count(f"{rid}.waiting"), timeout=PATIENCE_SECONDS, what="the view"
    )


def read_until(connection: Connection, end: bytes) -> None:
    data = b""
    while end not in data:
        data += connection.receive()


def told(record: Record) -> tuple[int, int, int]:
    return record.severity, record.fields["code"], record.fields["errno"]
