"""The example of `docs/howto/sentry.rst`, with Sentry's client and a transport that keeps all."""

import json
import subprocess
import sys

import pytest

from tests.documents import ROOT, blocks_in
from tests.harness.project import Project, sqlite

PAGE = ROOT / "docs/howto/sentry.rst"
# Enough for one request in ten to be sampled, but for once in a thousand million runs.
MANY = 200
# Asks the paths in turn, and prints what would have been sent for each.
PROGRAM = """
import json, sys
from functools import partial
import sentry_sdk
from sentry_sdk.transport import Transport

sent = []

class Kept(Transport):
    def capture_envelope(self, envelope):
        sent.extend((item.type, item.payload.json) for item in envelope.items)

sentry_sdk.init = partial(sentry_sdk.init, transport=Kept)

from django.core.wsgi import get_wsgi_application
from io import BytesIO

application = get_wsgi_application()

def ask(path):
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": path, "SCRIPT_NAME": "", "wsgi.input": BytesIO(),
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "80", "wsgi.url_scheme": "http",
        "wsgi.version": (1, 0), "wsgi.errors": sys.stderr, "wsgi.multithread": True,
        "wsgi.multiprocess": False, "wsgi.run_once": False, "HTTP_X_REQUEST_ID": "tried",
    }
    response = application(environ, lambda status, headers, error=None: None)
    list(response)
    response.close()

path, times = sys.argv[1], int(sys.argv[2])
for _ in range(times):
    ask(path)
sentry_sdk.flush(2)
print(json.dumps([
    {
        "type": kind,
        "tags": item.get("tags"),
        "release": item.get("release"),
        "exceptions": [one["type"] for one in item.get("exception", {}).get("values", [])],
        "logger": item.get("logger"),
    }
    for kind, item in sent if kind in {"event", "transaction"}
]), file=sys.stderr)
"""


@pytest.fixture
def sent_for(tmp_path, migrated_sqlite):
    module, settings_end = (block for block in blocks_in(PAGE) if block.caption)
    (tmp_path / "shop").mkdir()
    (tmp_path / module.caption).write_text(module.text)
    (tmp_path / "config").mkdir()
    (tmp_path / settings_end.caption).write_text(
        "from pathlib import Path\n"
        "from tests.project.settings import *\n"
        f"BASE_DIR = Path.cwd()\n{settings_end.text}"
    )
    (tmp_path / "version.json").write_text('{"commit": "abc123"}')
    project = (
        Project(tmp_path)
        .with_databases(default=sqlite(migrated_sqlite))
        .with_environ(
            DJANGO_SETTINGS_MODULE="config.settings",
            PROJECT_LOGGING="1",
            DOCKERFLOW_CHECK_TIMEOUT="30",
            SENTRY_DSN="http://key@127.0.0.1:9/1",
        )
    )

    def ask(path, times=1, **settings):
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, path, str(times)],
            cwd=tmp_path,
            env=project.with_settings(**settings).env(),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stderr.splitlines()[-1])

    return ask


@pytest.mark.long
def test_a_failed_request_is_one_exception_with_its_id(sent_for):
    """The summary, which is an ERROR as well, makes no event of its own."""
    events = [one for one in sent_for("/broken/") if one["type"] == "event"]
    assert [event["exceptions"] for event in events] == [["RuntimeError"]]
    assert (events[0]["tags"]["rid"], events[0]["release"]) == ("tried", "abc123")


@pytest.mark.long
def test_requests_are_sampled(sent_for):
    """About one in ten leaves a trace."""
    found = [one for one in sent_for("/plain/", MANY) if one["type"] == "transaction"]
    assert 0 < len(found) < MANY / 2


@pytest.mark.long
@pytest.mark.parametrize("path", ["/__heartbeat__", "/__heartbeat__/liveness", "/__lbheartbeat__"])
def test_probes_leave_no_trace(sent_for, path):
    """However many are asked."""
    assert sent_for(path, MANY) == []


@pytest.mark.long
def test_a_failing_check_is_one_event(sent_for):
    """However often it is asked."""
    checks = ["tests.project.checks.error"]
    events = sent_for("/__heartbeat__", 20, DOCKERFLOW_CHECKS=checks)
    assert [event["logger"] for event in events] == ["dockerflow_django.checks"]
