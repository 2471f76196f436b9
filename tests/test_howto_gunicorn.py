"""The configuration of `docs/howto/gunicorn-uvicorn.rst`, with Gunicorn itself."""

import json
import sys
from contextlib import contextmanager

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.waiting import wait_until

PAGE = ROOT / "docs/howto/gunicorn-uvicorn.rst"
SECONDS = 60


@contextmanager
def gunicorn(project, *, without=""):
    """Run it with the page's file, less one line, where its home cannot be written to."""
    (text, *_) = (block.text for block in blocks_in(PAGE) if block.language == "python")
    lines = [line for line in text.splitlines() if not (without and line.startswith(without))]
    (project.folder / "gunicorn.conf.py").write_text("\n".join(lines))
    (project.folder / "home").touch()
    with Port() as port, Port() as probe_port:
        project = project.with_environ(
            HOME=str(project.folder / "home"),
            PROJECT_LOGGING="1",
            DOCKERFLOW_DRAIN_SECONDS="0",
            DOCKERFLOW_PROBE_HOST=LOOPBACK,
            DOCKERFLOW_PROBE_PORT=str(probe_port.number),
        )
        where = ["--bind", f"{LOOPBACK}:{port.number}"]
        argv = [sys.executable, "-m", "gunicorn", *where, "tests.project.wsgi:application"]
        with Process(argv, env=project.env(), cwd=project.folder) as process:
            address = (LOOPBACK, probe_port.number)
            wait_until(lambda: _is_ready(address), timeout=SECONDS, what="Gunicorn is ready")
            process.port = port.number
            yield process


def _is_ready(address):
    try:
        return http.request(address, "GET", "/__heartbeat__/readiness").status == 200
    except OSError:
        return False


@pytest.mark.long
def test_everything_is_one_json_object_a_line(project):
    """The main process's own lines too, on standard output, and no control socket fails.

    A request has one line, a probe that passes none.
    """
    with gunicorn(project) as process:
        assert http.request((LOOPBACK, process.port), "GET", "/__lbheartbeat__").status == 200
        assert http.request((LOOPBACK, process.port), "GET", "/plain/").status == 200
        assert process.stop(timeout=SECONDS).code == 0
        assert process.lines("stderr") == []
        said = [json.loads(line) for line in process.lines("stdout")]
    texts = [line["Fields"].get("msg", "") for line in said]
    assert any(text.startswith("Listening at") for text in texts)
    (summary,) = [line for line in said if "path" in line["Fields"] or "GET /" in json.dumps(line)]
    assert (summary["Type"], summary["Fields"]["path"]) == ("request.summary", "/plain/")
    assert not any("ontrol" in text for text in texts)


@pytest.mark.long
def test_without_the_setting_a_read_only_home_is_an_error_and_no_more(project):
    """Gunicorn logs one, and serves."""
    with gunicorn(project, without="control_socket_disable") as process:
        process.wait_for_line("Control server error", timeout=SECONDS)
        assert http.request((LOOPBACK, process.port), "GET", "/plain/").status == 200
