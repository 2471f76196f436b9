"""The project under uWSGI, configured as `docs/howto/uwsgi.rst` has it."""

import json
from contextlib import contextmanager, suppress
from signal import SIGKILL, SIGTERM
from uuid import uuid4

import psutil
import pytest

from dockerflow_django.client import drain_marker
from dockerflow_django.summary.verdict import CLIENT_CLOSED_REQUEST
from tests.documents import ROOT, blocks_in
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.programs import missing
from tests.harness.waiting import wait_until
from tests.programs import beside_python
from tests.project.views.streams import PARTS
from tests.servers.heartbeats import LONGEST_SECONDS, OVERDUE, findings
from tests.servers.summaries import (
    ERROR,
    HEADER,
    INFO,
    PATIENCE_SECONDS,
    WARNING,
    summaries,
    summary,
)

FOREIGN_HOST = "10.20.30.40:8000"
PROBES = ("liveness", "readiness", "startup")
WORKERS = 2
BIG_FILE_BYTES = 32 * 2**20


class Uwsgi(Process):
    """uWSGI with the page's configuration, on the loopback, answering."""

    def __init__(self, project):
        self.project = project
        self._port = Port()
        self.address = (LOOPBACK, self._port.number)
        # The page's module, and the tests' own application in it.
        (project.folder / "shop").mkdir()
        (project.folder / "shop/wsgi.py").write_text("from tests.project.wsgi import application\n")
        (project.folder / "uwsgi.ini").write_text(_configuration().replace(" :$", f" {LOOPBACK}:$"))
        environ = {"PORT": str(self._port.number), "PROJECT_LOGGING": "1"}
        env = project.with_environ(**environ, **project.environ).env()
        # uWSGI writes everything to standard error, what the application prints included.
        command = ["sh", "-c", 'exec "$0" --ini uwsgi.ini 2>&1', beside_python("uwsgi")]
        super().__init__(command, env=env, cwd=project.folder)
        try:
            wait_until(self._answers, timeout=PATIENCE_SECONDS, what="uWSGI answers")
        except BaseException as error:
            self.kill()
            error.add_note(str(self.output))
            raise

    def get(self, path="/", **more):
        return http.request(self.address, "GET", path, **more)

    def connect(self, timeout=PATIENCE_SECONDS):
        return http.Connection(self.address, timeout)

    def workers(self):
        return self._process.children()

    def kill(self):
        super().kill()
        self._port.close()

    def _answers(self):
        assert self.running(), "it has ended"
        with suppress(OSError):
            return bool(self.get("/__lbheartbeat__", timeout=5.0).status)
        return False


def _configuration():
    (found,) = (
        block.text
        for block in blocks_in(ROOT / "docs/howto/uwsgi.rst")
        if block.caption == "uwsgi.ini"
    )
    return found


@contextmanager
def serving(project):
    if not beside_python("uwsgi").exists():
        missing("uwsgi is not installed")
    with Uwsgi(project) as server:
        yield server


@pytest.fixture
def server(project):
    with serving(project) as server:
        yield server


def test_each_request_has_one_summary(server):
    """From every worker, each with the id that its client got, and no two ids are alike."""
    answers = http.concurrently(lambda: server.get("/plain/"), total=60, at_once=12)
    rids = {answer.headers[HEADER] for answer in answers}
    assert ({answer.status for answer in answers}, len(rids)) == ({200}, 60)
    records = [summary(server, rid) for rid in rids]
    assert {(record.severity, record.fields["code"]) for record in records} == {(INFO, 200)}
    pids = {json.loads(line)["Pid"] for line in server.lines() if any(rid in line for rid in rids)}
    assert pids == {worker.pid for worker in server.workers()}


@pytest.mark.long
def test_ids_go_on_after_a_worker_was_replaced(server):
    """UWSGI forks the new one without Python's hooks; its ids are its own."""
    seen = {server.get("/plain/").headers[HEADER] for _ in range(20)}
    old = {worker.pid for worker in server.workers()}
    for worker in server.workers():
        worker.send_signal(SIGKILL)
    wait_until(lambda: _replaced(server, old), timeout=PATIENCE_SECONDS, what="new workers")
    again = {server.get("/plain/").headers[HEADER] for _ in range(20)}
    assert len(seen | again) == 40
    assert server.get("/__heartbeat__/readiness").status == 200


def _replaced(server, old):
    pids = {worker.pid for worker in server.workers() if worker.status() != psutil.STATUS_ZOMBIE}
    return len(pids - old) == WORKERS


def test_probes_answer_a_foreign_host(server):
    """A kubelet that calls by the pod's address is answered on the application's port."""
    for path in ["/__heartbeat__", *(f"/__heartbeat__/{name}" for name in PROBES)]:
        answer = server.get(path, host=FOREIGN_HOST)
        assert (answer.status, answer.json()) == (200, {"status": "ok"})
    assert server.get("/plain/", host=FOREIGN_HOST).status == 400


def test_a_hung_check_costs_its_timeout(project):
    """A check runs in a thread of its own there as well, once in each worker."""
    project = project.with_settings(
        DOCKERFLOW_CHECKS=["tests.project.checks.hung"], DOCKERFLOW_HEARTBEAT_DETAILS="always"
    )
    with serving(project) as server:
        try:
            for _ in range(10):
                answer = server.get("/__heartbeat__")
                assert (answer.status, list(findings(answer))) == (500, [OVERDUE])
                assert answer.seconds < LONGEST_SECONDS
            assert server.project.count("hung.runs") <= WORKERS
        finally:
            project.make("hung.release")


def test_a_client_that_leaves_a_stream_is_known(server):
    """UWSGI closes the stream when a part cannot be sent: 499, as under Gunicorn."""
    rid = uuid4().hex
    connection = _begin(server, f"/stream-long/?name={rid}", rid)
    received = b""
    while PARTS[0] not in received:
        received += connection.receive()
    connection.hang_up()
    server.project.make(f"{rid}.release")
    assert _told(server, rid) == (WARNING, 200, CLIENT_CLOSED_REQUEST)


@pytest.mark.parametrize("path", ["/blocked/", "/stream-long-async/"])
def test_a_client_that_leaves_a_view_is_unknown(server, path):
    """WSGI has no word for it, nor for a stream that is read ahead: the record is the view's."""
    rid = uuid4().hex
    _begin(server, f"{path}?name={rid}", rid).hang_up()
    server.project.make(f"{rid}.release")
    assert _told(server, rid) == (INFO, 200, 0)


def test_a_client_that_leaves_a_file_is_unknown(server):
    """The record is the view's."""
    with (server.project.folder / "big").open("wb") as file:
        file.truncate(BIG_FILE_BYTES)
    with server.connect() as connection:
        connection.send("GET", "/file/?name=big", headers={HEADER: "file"})
        connection.receive()
    assert _told(server, "file") == (INFO, 200, 0)


@pytest.mark.parametrize("reset", [False, True])
def test_a_client_that_breaks_its_body_off_fails_the_view(server, reset):
    """UWSGI raises while the view reads, whichever way the connection ended."""
    rid = uuid4().hex
    connection = server.connect()
    headers = {HEADER: rid, "Content-Length": "1000"}
    connection.send("POST", f"/upload/?name={rid}", headers=headers)
    connection.send_bytes(b"x" * 500)
    wait_until(lambda: server.project.count(f"{rid}.waiting") == 1)
    connection.hang_up(reset=reset)
    assert _told(server, rid) == (ERROR, 500, 500)


def _begin(server, path, rid):
    connection = server.connect()
    connection.send("GET", path, headers={HEADER: rid})
    wait_until(lambda: server.project.count(f"{rid}.waiting") == 1)
    return connection


def _told(server, rid):
    record = summary(server, rid)
    return record.severity, record.fields["code"], record.fields["errno"]


@pytest.mark.long
def test_the_marker_drains_and_sigterm_finishes_what_is_in_flight(project):
    """Readiness fails while requests are served; then the one under way is answered: exit 0."""
    marker = project.folder / "draining"
    with serving(project.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))) as server:
        assert server.get("/__heartbeat__/readiness").status == 200
        drain_marker.create(str(marker))
        wait_until(lambda: server.get("/__heartbeat__/readiness").status == 503)
        assert server.get("/plain/").status == 200
        assert server.get("/__heartbeat__/liveness").status == 200
        with server.connect() as connection:
            connection.send("GET", "/blocked/", headers={HEADER: "in-flight"})
            wait_until(lambda: project.count("blocked.waiting") == 1)
            server.send_signal(SIGTERM)
            server.wait_for_line("graceful shutdown triggered")
            project.make("blocked.release")
            assert connection.read().body == b"released"
        assert server.wait().code == 0
        assert len(summaries(server, "in-flight")) == 1
