"""The hooks for Gunicorn: the same probes and the same drain."""

import ast
import contextlib
import inspect
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest
from django.test import override_settings
from gunicorn.arbiter import Arbiter
from gunicorn.workers.base import Worker
from gunicorn.workers.gasgi import ASGIWorker
from gunicorn.workers.gthread import ThreadWorker
from uvicorn_worker import UvicornWorker

from dockerflow_django import gunicorn
from dockerflow_django.gunicorn.arbiter import Arbiter as OurArbiter
from dockerflow_django.gunicorn.ending import SPARE_SECONDS
from dockerflow_django.supervisor.container import Container
from dockerflow_django.supervisor.settings import read_settings
from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.harness.sink import Sink
from tests.harness.waiting import wait_until
from tests.serve.conftest import served  # noqa: F401
from tests.serve.test_stop import ends_connection

Serve = Callable[..., Served]


@pytest.mark.long
def test_log_that_nobody_reads(served: Serve, tmp_path: Path) -> None:
    """A pipe of the log that is full delays no exit, though the arbiter waits for it."""
    sink = Sink(tmp_path / "log")
    instance = served(
        *("--graceful-timeout", "2"),
        kind="gunicorn",
        before=sink.before,
        drain_seconds=0,
        wait=False,
    )
    try:
        wait_until(lambda: is_ready(instance), timeout=40)
        sink.fill()
        # The hooks' own two seconds, and five for a busy machine.
        assert instance.stop(timeout=2 + 2 + 5).code == 0
        wait_until(lambda: instance.family() == [])
    finally:
        sink.close()


def is_ready(instance: Served) -> bool:
    with contextlib.suppress(OSError):
        return instance.probe("readiness").status == 200
    return False


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gunicorn", "gunicorn-sync"])
def test_term_drains(served: Serve, kind: str) -> None:
    """SIGTERM drains: readiness fails, requests are served, the one under way finishes (H6, P1)."""
    instance = served("--workers", "2", kind=kind, drain_seconds=60)
    assert instance.probe("readiness").status == 200
    answers: list[http.Answer] = []
    thread = threading.Thread(target=lambda: answers.append(instance.get("/blocked/", timeout=60)))
    thread.start()
    wait_until(lambda: instance.project.count("blocked.waiting"))
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    assert instance.probe("liveness").status == 200
    kept_alive = {"Connection": "keep-alive"}
    wait_until(lambda: ends_connection(instance.get("/plain/", headers=kept_alive)))
    instance.send_signal(signal.SIGTERM)
    # The drain is over, and the worker that has nothing in hand ends.
    wait_until(lambda: len(instance.workers()) == 1)
    instance.project.make("blocked.release")
    ended = instance.wait()
    thread.join(30)
    assert [answer.status for answer in answers] == [200]
    assert ended.code == 0


@pytest.mark.long
def test_second_term_hurries(served: Serve) -> None:
    """A second SIGTERM ends the drain."""
    instance = served(kind="gunicorn", drain_seconds=60)
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("Draining for 60.0 s")
    ended = instance.stop()
    assert ended.code == 0


@pytest.mark.long
def test_drain_counts_from_who_began(served: Serve, project: Project) -> None:
    """What a ``preStop`` has waited already is not waited again after SIGTERM."""
    marker = project.folder / "draining"
    draining = project.with_environ(DOCKERFLOW_DRAIN_PATH=str(marker))
    for kind in ("gunicorn", "serve-wsgi"):
        Path(marker).unlink(missing_ok=True)
        instance = served(kind=kind, project=draining, drain_seconds=30)
        argv = [sys.executable, "-m", "dockerflow_django.drain", "--wait", "1"]
        began = time.monotonic()
        subprocess.run(argv, env=draining.env(), check=True, capture_output=True)
        instance.send_signal(signal.SIGTERM)
        remaining = instance.wait_for_line(r"Draining.* ([\d.]+) s").group(1)
        elapsed = time.monotonic() - began
        # It is told to a tenth of a second.
        assert 30 - elapsed - 0.05 <= float(remaining) <= 29
        assert instance.stop().code == 0


@pytest.mark.long
def test_taken_probe_port(served: Serve) -> None:
    """A taken probe port ends the start: it is never shared silently."""
    first = served(kind="gunicorn")
    second = served(
        kind="gunicorn",
        project=first_project(first, DOCKERFLOW_PROBE_PORT=str(first.probe_port.number)),
        wait=False,
    )
    assert second.wait(15).code != 0
    assert "probe port" in str(second.output)


@pytest.mark.long
def test_worker_that_dies_is_replaced(served: Serve) -> None:
    """A killed worker is forgotten, and the probes ask its successor."""
    instance = served("--workers", "2", kind="gunicorn")
    before = instance.workers()
    psutil.Process(before[0]).kill()
    wait_until(lambda: len(set(instance.workers()) - set(before)) == 1)
    wait_until(lambda: instance.probe("readiness").status == 200)


@pytest.mark.long
@pytest.mark.parametrize("kind", ["gunicorn", "gunicorn-sync", "gunicorn-gevent"])
def test_reload_fails_no_probe(served: Serve, kind: str) -> None:
    """SIGHUP replaces the workers, each old one only when a new one serves."""
    instance = served("--workers", "2", kind=kind)
    before = set(instance.workers())
    instance.send_signal(signal.SIGHUP)
    end = time.monotonic() + 40
    while before & set(instance.workers()):
        assert time.monotonic() < end, str(instance.output)
        assert instance.probe("readiness").status == 200
        assert instance.probe("liveness").status == 200
    assert instance.get("/plain/").status == 200
    assert instance.stop(timeout=20).code == 0


@pytest.mark.long
def test_term_during_a_reload(served: Serve) -> None:
    """SIGTERM in the middle of a reload fails readiness at once, and births drain."""
    instance = served("--workers", "2", kind="gunicorn", drain_seconds=60)
    instance.send_signal(signal.SIGHUP)
    instance.wait_for_line("Hang up")
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: instance.probe("readiness").status == 503)
    end = time.monotonic() + 3
    while time.monotonic() < end:
        assert instance.probe("readiness").status == 503
    ended = instance.stop(timeout=40)
    assert ended.code == 0


@pytest.mark.long
def test_reload_brings_new_settings(served: Serve, project: Project) -> None:
    """SIGHUP reads the settings anew; wrong ones change nothing, and it is said."""
    (project.folder / ".env").write_text("DOCKERFLOW_DRAIN_SECONDS=31\n")
    instance = served(kind="gunicorn", project=project, drain_seconds=None)
    (project.folder / ".env").write_text("DOCKERFLOW_DRAIN_SECONDS=soon\n")
    instance.send_signal(signal.SIGHUP)
    instance.wait_for_line("The settings stay as they are", timeout=20)
    (project.folder / ".env").write_text("DOCKERFLOW_DRAIN_SECONDS=17\n")
    wait_until(lambda: instance.births() == 2, timeout=20)
    instance.send_signal(signal.SIGHUP)
    wait_until(lambda: instance.births() == 3, timeout=20)
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line(r"Draining for 17\.0 s")
    assert instance.stop(timeout=20).code == 0


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        ({"DOCKERFLOW_DRAIN_SECONDS": "soon"}, "DOCKERFLOW_DRAIN_SECONDS is 'soon'"),
        ({"DOCKERFLOW_WEBHOOK_SECRET_FILE": "/no/such"}, "DOCKERFLOW_WEBHOOK_SECRET_FILE is"),
        ({"DOCKERFLOW_WEBHOOK_SECRET_FILE": "/dev/null"}, "file that is not empty"),
    ],
)
@pytest.mark.parametrize("kind", ["gunicorn", "serve-wsgi"])
def test_wrong_settings_end_the_start(
    served: Serve, project: Project, kind: str, environ: dict[str, str], said: str
) -> None:
    """A wrong value, or a secret that cannot be read, ends the start and is named."""
    instance = served(kind=kind, project=project.with_environ(**environ), wait=False)
    assert instance.wait(20).code == 1
    assert said in str(instance.output)
    assert "Not serving: the settings are wrong" in str(instance.output)


def test_settings_of_the_project_are_read(served: Serve, project: Project) -> None:
    """What stands in the settings module counts as what stands in the environment."""
    shown = project.with_settings(
        DOCKERFLOW_HEARTBEAT_TOKEN="t0ken", DOCKERFLOW_HEARTBEAT_DETAILS="never"
    )
    instance = served(kind="gunicorn", project=shown)
    assert "details" not in instance.probe("readiness").json()
    headers = {"Authorization": "Bearer t0ken"}
    assert "checks" in instance.probe("readiness", headers=headers).json()
    wrong = {"Authorization": "Bearer t0ke"}
    assert "checks" not in instance.probe("readiness", headers=wrong).json()


def test_unknown_worker_is_refused(served: Serve, project: Project) -> None:
    """A worker class that these hooks do not know ends the start with a sentence."""
    (project.folder / "strange.py").write_text(
        "from gunicorn.workers.base import Worker\n\n\nclass Strange(Worker):\n    pass\n"
    )
    instance = served("-k", "strange.Strange", kind="gunicorn-sync", wait=False)
    assert instance.wait(15).code == 1
    assert "Not serving: the worker class strange.Strange is not supported" in str(instance.output)


@pytest.mark.parametrize("kind", ["gunicorn-gevent", "gunicorn"])
def test_patched_arbiter_is_refused(served: Serve, project: Project, kind: str) -> None:
    """A configuration in which gevent patches the arbiter ends the start with a sentence."""
    (project.folder / "patching.py").write_text(
        "import gevent.monkey\n\ngevent.monkey.patch_all()\n"
        "from dockerflow_django.gunicorn import *\n"
    )
    instance = served("--config", "python:patching", kind=kind, wait=False)
    assert instance.wait(15).code == 1
    assert "Not serving: gevent has patched the arbiter" in str(instance.output)


def test_arbiter_imports_no_django() -> None:
    """What a worker of gevent would inherit unpatched stays out of the arbiter."""
    code = "import sys, dockerflow_django.gunicorn, dockerflow_django.metrics.workers\n"
    code += "print({name.partition('.')[0] for name in sys.modules})"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"django", "asgiref", "prometheus_client"} & ast.literal_eval(found.stdout)


def run(script: str, *args: str) -> subprocess.CompletedProcess[str]:
    """Run a script in which Gunicorn's own arbiter has our hooks."""
    argv = [sys.executable, "-c", ARBITER + script, *args]
    return subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60)


ARBITER = """
import os, resource, sys
from django.conf import settings
from gunicorn.app.base import BaseApplication
from gunicorn.arbiter import Arbiter
from dockerflow_django import gunicorn
from dockerflow_django.gunicorn.ending import Ending
from dockerflow_django.supervisor.container import Container
from dockerflow_django.supervisor.settings import read_settings

NOBODY = 65534

class App(BaseApplication):
    def load_config(self):
        self.cfg.set("pre_fork", gunicorn.pre_fork)
        self.cfg.set("user", os.getuid() or NOBODY)

def arbiter():
    settings.configure()
    hooks = gunicorn._arbiter
    hooks.container = Container(read_settings())
    hooks.server = Arbiter(App())
    hooks.server.pid = os.getpid()
    hooks.ending = Ending(hooks.server, hooks.container)
    hooks.take_over()
    return hooks

"""
# The limit of processes does not bind root.
NO_FORK = """
hooks = arbiter()
is_root = not os.getuid()
if is_root:
    os.setresuid(NOBODY, NOBODY, 0)
resource.setrlimit(resource.RLIMIT_NPROC, (0, 0))
descriptors = len(os.listdir("/proc/self/fd"))
for _ in range(3):
    hooks.server.manage_workers()
print("workers", hooks.container.pool.workers)
hooks.server.WORKERS = {1: None}
hooks.server.spawn_worker()
gunicorn.on_reload(hooks.server)
hooks.container.pool._close_removed()
print("descriptors", len(os.listdir("/proc/self/fd")) - descriptors)
if is_root:
    os.setresuid(0, 0, 0)
"""


def test_fork_that_fails() -> None:
    """Of a worker that could not be forked nothing is kept, and what comes of it is told."""
    done = run(NO_FORK)
    assert done.stdout == "workers []\ndescriptors 0\n", done.stderr
    failed = "A worker cannot be started: Resource temporarily unavailable"
    assert done.stderr.count(f"{failed}. Trying again.") == 3
    assert f"{failed}: the old one stays." in done.stderr
    said = "The settings stay as they are: the settings cannot be read: Resource temporarily"
    assert said in done.stderr
    assert done.returncode == 0


AT_ONCE = """
from gunicorn.pidfile import Pidfile
hooks = arbiter()
hooks.server.pidfile = Pidfile(sys.argv[1])
hooks.server.pidfile.create(os.getpid())
hooks.container.pool.problem = sys.argv[2]
hooks.ending.end_at_once()
"""


@pytest.mark.parametrize(("problem", "code"), [("no module named shop", 1), ("", 0)])
def test_end_at_once(tmp_path: Path, problem: str, code: int) -> None:
    """The hard end removes the pidfile; its status is 1 if nothing was ever served."""
    done = run(AT_ONCE, str(tmp_path / "pid"), problem)
    assert (done.returncode, done.stderr) == (code, "")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.long
def test_term_cuts_no_request_of_a_reload(served: Serve) -> None:
    """A reload that SIGTERM meets is finished, and the graceful timeout counts from its end."""
    graceful = 8.0
    instance = served("--graceful-timeout", "8", kind="gunicorn", drain_seconds=0)
    answers: list[int] = []

    def ask(seconds: float) -> threading.Thread:
        path = f"/slow/?seconds={seconds}"
        thread = threading.Thread(
            target=lambda: answers.append(instance.get(path, timeout=60).status)
        )
        thread.start()
        return thread

    # Holds the old worker, and with it the reload.
    first = ask(graceful - 2)
    wait_until(lambda: instance.project.count("slow.waiting") == 1)
    instance.send_signal(signal.SIGHUP)
    instance.wait_for_line("Hang up")
    instance.send_signal(signal.SIGTERM)
    began = time.monotonic()
    wait_until(lambda: instance.births() == 2, timeout=20)
    # Longer than Gunicorn could take without the reload.
    second = ask(began + graceful + SPARE_SECONDS + 1 - time.monotonic())
    wait_until(lambda: instance.project.count("slow.waiting") == 2)
    assert instance.wait(60).code == 0
    first.join(60)
    second.join(60)
    assert answers == [200, 200]


@pytest.mark.long
def test_reload_in_the_drain(served: Serve, project: Project) -> None:
    """A reload that takes longer than drain and graceful timeout cuts no request either."""
    (project.folder / "slow.py").write_text(
        "import time\n\nfrom dockerflow_django import gunicorn\n"
        "from dockerflow_django.gunicorn import *\n\n\n"
        "def on_reload(server):\n    time.sleep(9)\n    gunicorn.on_reload(server)\n"
    )
    options = ("--config", "python:slow", "--graceful-timeout", "2")
    instance = served(*options, kind="gunicorn", drain_seconds=3)
    answers: list[http.Answer] = []
    thread = threading.Thread(
        target=lambda: answers.append(instance.get("/slow/?seconds=8", timeout=30))
    )
    thread.start()
    wait_until(lambda: instance.project.count("slow.waiting"))
    instance.send_signal(signal.SIGTERM)
    instance.wait_for_line("Draining")
    instance.send_signal(signal.SIGHUP)
    assert instance.wait(40).code == 0
    thread.join(30)
    assert [answer.status for answer in answers] == [200]


def test_worker_that_died_before_its_successor_served(tmp_path: Path) -> None:
    """A worker that was spared until a younger one serves, and has ended, is told nothing."""
    arbiter = OurArbiter()
    with override_settings(DOCKERFLOW_DRAIN_PATH=str(tmp_path / "drain")):
        arbiter.container = Container(read_settings())
    known = arbiter.container.pool.add(1)
    arbiter._deferred[0] = known  # this process's own group, if anything were sent
    arbiter._end_deferred()
    assert arbiter._deferred == {0: known}
    arbiter.container.remove(known)
    arbiter._end_deferred()
    assert arbiter._deferred == {}
    arbiter.container.pool.stop()


def test_settings_that_the_application_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without DJANGO_SETTINGS_MODULE the application is loaded, which may set it."""
    name = os.environ["DJANGO_SETTINGS_MODULE"]
    loaded: list[str] = []

    def wsgi() -> None:
        loaded.append("wsgi")
        os.environ["DJANGO_SETTINGS_MODULE"] = name

    server = SimpleNamespace(app=SimpleNamespace(wsgi=wsgi))
    gunicorn._load_project(server)
    assert loaded == []
    monkeypatch.delenv("DJANGO_SETTINGS_MODULE")
    gunicorn._load_project(server)
    assert loaded == ["wsgi"]


@pytest.mark.long
def test_without_a_probe_port(served: Serve, project: Project) -> None:
    """Without a probe port the application answers the probes, and SIGTERM drains as ever."""
    instance = served(
        kind="gunicorn",
        project=project.with_environ(DOCKERFLOW_PROBE_PORT=""),
        drain_seconds=60,
        wait=False,
    )

    def readiness() -> int:
        with contextlib.suppress(OSError):
            return instance.get("/__heartbeat__/readiness").status
        return 0

    wait_until(lambda: readiness() == 200, timeout=30)
    instance.send_signal(signal.SIGTERM)
    wait_until(lambda: readiness() == 503)
    assert instance.stop(timeout=20).code == 0


PARTS = {
    Arbiter.signal: ["self.SIG_QUEUE.put"],
    Arbiter.init_signals: ["signal.signal(s, self.signal)"],
    Arbiter.kill_workers: ["self.kill_worker(pid, sig)"],
    Arbiter.manage_workers: ["self.kill_worker(pid, signal.SIGTERM)"],
    Arbiter.stop: ["(self, graceful=True)", "self.LISTENERS = []", "self.kill_workers(sig)"],
    Arbiter.spawn_workers: ["self.spawn_worker()"],
    Arbiter.run: ["self.manage_workers()"],
    Arbiter.spawn_worker: ["cfg.pre_fork(self, worker)", "cfg.post_fork(self, worker)"],
    Arbiter.start: ["cfg.on_starting(self)", "cfg.when_ready(self)"],
    Arbiter.halt: ["self.stop()", "cfg.on_exit(self)"],
    Arbiter.handle_hup: ["self.reload()"],
    Worker.init_process: ["self.load_wsgi()", "cfg.post_worker_init(self)", "self.run()"],
    ASGIWorker.load_wsgi: ["self.asgi ="],
    ASGIWorker._serve: ["self.asgi,", "asgi_lifespan"],
    UvicornWorker._serve: ["self.config.app = self.wsgi"],
    ThreadWorker: ["self.max_keepalived"],
}


@pytest.mark.parametrize("part", PARTS, ids=lambda part: part.__qualname__)
def test_parts_of_gunicorn(part: Any) -> None:
    """What the hooks build on beside Gunicorn's documented hooks is still there."""
    source = inspect.getsource(part)
    assert [name for name in PARTS[part] if name not in source] == []


def first_project(first: Served, **environ: str) -> Project:
    """Return the project of an instance with another environment."""
    return first.project.with_environ(**environ)
