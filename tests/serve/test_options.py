"""What ``serve`` passes on: every option of Granian's, and none of its own over theirs."""

import re
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from signal import SIGHUP

import pytest

from tests.harness import http
from tests.harness.ports import accepts
from tests.harness.programs import missing
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.waiting import wait_until

Serve = Callable[..., Served]


def test_lines_that_say_what_follows(served: Serve) -> None:
    """A few lines say what is served where, and what SIGTERM will do, in the project's format."""
    instance = served("--workers", "2", "--graceful-timeout", "7", drain_seconds=3)
    instance.wait_for_line("Serving")
    text = str(instance.output)
    assert f"(wsgi) at http://127.0.0.1:{instance.port.number}, workers: 2" in text
    assert f"probes are answered at http://127.0.0.1:{instance.probe_port.number}." in text
    assert "drain for 3 s, then up to 7 s" in text
    instance.send_signal(15)


def test_log_format_is_the_projects(served: Serve, project: Project) -> None:
    """With the app's LOGGING every line, Granian's too, is one JSON object."""
    import json

    instance = served(project=project.with_environ(PROJECT_LOGGING="1"), drain_seconds=0)
    assert instance.stop().code == 0
    lines = [line for line in instance.lines() if line]
    assert {"_granian", "dockerflow_django.serve"} <= {json.loads(line)["Type"] for line in lines}


def test_granian_options(served: Serve, project: Project) -> None:
    """Options after ``--`` reach Granian: a prefix, static files."""
    static = project.folder / "files"
    static.mkdir()
    (static / "a.txt").write_text("static")
    options = ["--", "--url-path-prefix", "/under", "--static-path-mount", str(static)]
    instance = served(*options, wait=False)
    wait_until(lambda: instance.probe("startup").status == 200 if _accepts(instance) else False)
    wait_until(lambda: accepts(instance.port.number))
    assert instance.get("/under/plain/").body == b"plain"
    assert instance.get("/static/a.txt").body == b"static"


def test_unix_socket(served: Serve, tmp_path: Path) -> None:
    """A unix socket is served, and gone after the end."""
    path = tmp_path / "app.sock"
    instance = served("--", "--uds", str(path), wait=False, drain_seconds=0)
    wait_until(lambda: path.exists() and _accepts(instance))
    wait_until(lambda: instance.probe("readiness").status == 200)
    assert instance.stop().code == 0
    assert not path.exists()


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi"])
def test_hang_up_replaces_the_workers(served: Serve, kind: str) -> None:
    """SIGHUP replaces the workers, and the probes ask the new ones."""
    instance = served(kind=kind)
    before = instance.workers()
    instance.send_signal(SIGHUP)
    wait_until(lambda: not set(instance.workers()) & set(before))
    wait_until(lambda: instance.probe("readiness").status == 200)
    assert instance.stop().code == 0


@pytest.mark.long
def test_reload_brings_new_code(served: Serve, project: Project) -> None:
    """With ``-- --reload`` a changed file is served anew, and the drain is as ever."""
    if find_spec("watchfiles") is None:
        missing("watchfiles is not installed, which granian[reload] brings")
    module = project.folder / "reloaded.py"
    source = "from django.http import HttpResponse\n"
    source += "from django.urls import include, path\n"
    source += "def view(request): return HttpResponse('{}')\n"
    source += "urlpatterns = [path('', include('dockerflow_django.urls')), path('x/', view)]\n"
    module.write_text(source.format("old"))
    reloading = project.with_settings(ROOT_URLCONF="reloaded")
    options = ["--", "--reload", "--reload-paths", str(project.folder)]
    instance = served(*options, project=reloading)
    assert instance.get("/x/").body == b"old"
    module.write_text(source.format("newer"))
    wait_until(lambda: _body(instance) == b"newer", timeout=15)
    assert instance.stop().code == 0


@pytest.mark.long
@pytest.mark.parametrize("is_ignored", [False, True])
def test_reload_of_what_cannot_be_loaded(served: Serve, project: Project, is_ignored: bool) -> None:
    """A change that breaks the project ends `serve` with 1; if so told, it waits for the next."""
    if find_spec("watchfiles") is None:
        missing("watchfiles is not installed, which granian[reload] brings")
    module = project.folder / "reloaded.py"
    source = "from django.http import HttpResponse\nfrom django.urls import path\n"
    source += "def view(request): return HttpResponse('{}')\nurlpatterns = [path('x/', view)]\n"
    module.write_text(source.format("old"))
    reloading = project.with_settings(ROOT_URLCONF="reloaded")
    options = ["--", "--reload", "--reload-paths", str(project.folder)]
    options += ["--reload-ignore-worker-failure"] * is_ignored
    instance = served(*options, project=reloading, wait=False)
    wait_until(lambda: _body(instance) == b"old", timeout=15)
    module.write_text("urlpatterns = [\n")
    instance.wait_for_line("Worker 1 .* ended: the URLconf reloaded cannot be imported: Syntax")
    if is_ignored:
        module.write_text(source.format("newer"))
        wait_until(lambda: _body(instance) == b"newer", timeout=15)
        assert instance.stop().code == 0
    else:
        assert instance.wait(15).code == 1
        instance.wait_for_line("Not serving: worker 1 ended: the URLconf reloaded cannot be")


@pytest.mark.long
@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--ssl-certificate", "a.pem"], "--ssl-certificate needs --ssl-keyfile too"),
        (["--ssl-keyfile", "a.pem"], "--ssl-keyfile needs --ssl-certificate too"),
        (["--ssl-ca", "a.pem"], "--ssl-ca needs --ssl-certificate and --ssl-keyfile too"),
        (["--respawn-failed-workers"], "serve replaces every worker that dies"),
        (["--respawn-interval", "1"], "serve replaces every worker that dies"),
    ],
)
def test_options_that_mislead(
    served: Serve, project: Project, options: list[str], said: str
) -> None:
    """TLS by half, and what `serve` does itself, are refused in a line."""
    (project.folder / "a.pem").touch()
    instance = served("--", *options, wait=False)
    assert instance.wait(15).code == 1
    assert said in str(instance.output)
    assert "Traceback" not in str(instance.output)


def test_asgi_module_beside_the_wsgi_one(served: Serve, project: Project) -> None:
    """Without ASGI_APPLICATION the project's own module is served, and named."""
    instance = served(kind="serve-asgi", project=project.with_settings(ASGI_APPLICATION=None))
    instance.wait_for_line(r"Serving tests\.project\.asgi:application \(asgi\)")


@pytest.mark.long
@pytest.mark.parametrize(("host", "shown"), [("localhost", "127.0.0.1"), ("::1", "[::1]")])
def test_names_and_ipv6_addresses(served: Serve, host: str, shown: str) -> None:
    """A name is looked up, and an IPv6 address is shown in brackets."""
    instance = served("--host", host, wait=False)
    instance.wait_for_line(rf"Serving .* at http://{re.escape(shown)}:\d+", timeout=20)
    address = (shown.strip("[]"), instance.port.number)
    assert http.request(address, "GET", "/plain/", host="127.0.0.1").body == b"plain"


def test_a_host_that_is_not_there(served: Serve) -> None:
    """A name that has no address is told in a line."""
    instance = served("--host", "no-such-host.invalid", wait=False)
    assert instance.wait(20).code == 1
    assert "Not serving: no-such-host.invalid:" in str(instance.output)


def _body(instance: Served) -> bytes:
    try:
        return instance.get("/x/").body
    except OSError:
        return b""


def _accepts(instance: Served) -> bool:
    try:
        return instance.probe("liveness").status == 200
    except OSError:
        return False
