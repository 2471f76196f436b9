"""A worker answers its probes whatever it does, and stops without losing work."""

import re
import socket
import statistics
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from signal import SIGQUIT, SIGTERM
from types import SimpleNamespace
from urllib.parse import urlsplit, urlunsplit

import psutil
import pytest
from celery import Celery
from celery.concurrency.prefork import TaskPool
from celery.contrib.testing.worker import start_worker

from dockerflow_django import lifecycle
from dockerflow_django.celery import instrument
from dockerflow_django.health import ERROR_CELERY_BROKER, INFO_STARTING
from dockerflow_django.tasks.celery.requests import ObservedRequest
from dockerflow_django.tasks.celery.worker import (
    DockerflowStep,
    LoopStep,
    WorkerHealth,
    _is_own_process,
)
from tests.harness.http import request
from tests.harness.ports import LOOPBACK
from tests.harness.project import Project
from tests.harness.receiver import Receiver
from tests.harness.waiting import wait_until
from tests.services import amqp_url, redis_url, require
from tests.tasks.celery.workers import MODULE, Celeryd

PROBES = ("liveness", "readiness", "startup")
PROMPT_SECONDS = 0.1


def asked_by_file(path, probe):
    """Return the status of the client without Django."""
    module = "dockerflow_django.healthcheck"
    command = [sys.executable, "-m", module, "--file", str(path), "--probe", probe]
    return subprocess.run(command, capture_output=True, check=False).returncode


@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_answers_by_port_and_by_file(celeryd, pool, tmp_path):
    """A worker that takes tasks passes its three probes; no file of a dead worker passes."""
    path = tmp_path / "probes"
    with celeryd.worker(f"--pool={pool}", DOCKERFLOW_PROBE_FILE=str(path)) as worker:
        for probe in PROBES:
            worker.wait_for(probe, 200)
            wait_until(lambda probe=probe: asked_by_file(path, probe) == 0, timeout=30)
        assert request(worker.address, path="/__lbheartbeat__").status == 200
        left = path.read_bytes()
        worker.kill()
    path.write_bytes(left)
    assert [asked_by_file(path, probe) for probe in PROBES] == [1, 1, 1]


@pytest.mark.long
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_alive_with_a_long_task_at_concurrency_one(celeryd, pool, tmp_path):
    """However long the only task runs, a worker says within 100 ms that it is alive."""
    go = tmp_path / "go"
    options = [f"--pool={pool}", "--concurrency=1"]
    with celeryd.worker(*options, DOCKERFLOW_WORKER_STALL_SECONDS="3") as worker:
        task_id = celeryd.send("patient", str(go))
        worker.wait_for_line("patient began", timeout=30)
        worker.wait_for("readiness", 200)
        # For longer than a loop may stand still, and than two asks of the broker take.
        end, answers = time.monotonic() + 5, []
        while time.monotonic() < end:
            answers.append(request(worker.address, path="/__heartbeat__/liveness"))
            time.sleep(0.1)
        go.touch()
        assert worker.wait_for_summaries(task_id)[0]["state"] == "SUCCESS"
    assert {answer.status for answer in answers} == {200}
    # On a busy machine one or the other is late.
    assert statistics.median(answer.seconds for answer in answers) < PROMPT_SECONDS


@pytest.mark.long
def test_not_alive_if_the_loop_stands_still(celeryd):
    """A worker whose loop is held up while its broker answers is not alive, until it goes on."""
    with celeryd.worker("--concurrency=1", DOCKERFLOW_WORKER_STALL_SECONDS="3") as worker:
        worker.wait_for("readiness", 200)
        assert worker.status("liveness") == 200
        celeryd.app.control.broadcast("hold_up", arguments={"seconds": 8})
        worker.wait_for("liveness", 503)
        worker.wait_for("liveness", 200)


@pytest.mark.long
@pytest.mark.parametrize("pool", ["prefork", "threads", "solo"])
def test_sigterm(celeryd, pool, tmp_path):
    """On SIGTERM a worker is not ready at once, finishes the task in hand, alive, and exits 0."""
    go = tmp_path / "go"
    with celeryd.worker(f"--pool={pool}", "--concurrency=1") as worker:
        task_id = celeryd.send("patient", str(go))
        worker.wait_for_line("patient began", timeout=30)
        worker.wait_for("readiness", 200)
        worker.send_signal(SIGTERM)
        worker.wait_for("readiness", 503, timeout=5)
        assert worker.status("liveness") == 200
        go.touch()
        assert worker.wait(timeout=30).code == 0
        assert [each["state"] for each in worker.summaries(task_id)] == ["SUCCESS"]


@pytest.mark.long
def test_a_second_signal_hurries(celeryd):
    """SIGQUIT ends a worker that waits for a task; the task is lost, and its record says so."""
    with celeryd.worker("--concurrency=1") as worker:
        task_id = celeryd.send("patient", "/nonexistent")
        worker.wait_for_line("patient began", timeout=30)
        worker.send_signal(SIGTERM)
        worker.wait_for("readiness", 503)
        worker.send_signal(SIGQUIT)
        worker.wait(timeout=30)
        assert [each["state"] for each in worker.summaries(task_id)] == ["LOST"]


@pytest.mark.long
@pytest.mark.parametrize("pool", ["prefork", "threads"])
def test_soft_shutdown(celeryd, pool, tmp_path):
    """A worker that gives its tasks some time before it stops cold is not ready, and alive."""
    celeryd.conf = {"worker_soft_shutdown_timeout": 8}
    environ = {"REMAP_SIGTERM": "SIGQUIT", "DOCKERFLOW_WORKER_STALL_SECONDS": "2"}
    with celeryd.worker(f"--pool={pool}", "--concurrency=1", **environ) as worker:
        celeryd.send("patient", str(tmp_path / "go"))
        worker.wait_for_line("patient began", timeout=30)
        worker.wait_for("readiness", 200)
        worker.send_signal(SIGTERM)
        worker.wait_for("readiness", 503, timeout=5)
        assert liveness_until_it_ends(worker) == {200}


@pytest.mark.long
def test_ended_during_a_soft_shutdown(celeryd, tmp_path):
    """A task that ends while the worker waits has its own record alone; any other is lost."""
    celeryd.conf = {"worker_soft_shutdown_timeout": 4}
    with celeryd.worker("--concurrency=2", REMAP_SIGTERM="SIGQUIT") as worker:
        ids = [celeryd.send("patient", str(tmp_path / name)) for name in ("go", "never")]
        wait_until(lambda: str(worker.output).count("patient began") == 2, timeout=30)
        worker.send_signal(SIGTERM)
        worker.wait_for_line("Initiating Soft Shutdown")
        (tmp_path / "go").touch()
        worker.wait()
        found = [[each["state"] for each in worker.summaries(task_id)] for task_id in ids]
    assert found == [["SUCCESS"], ["LOST"]]


@pytest.mark.long
@pytest.mark.parametrize("pool", ["prefork", "threads", "gevent"])
def test_remote_shutdown(celeryd, pool, tmp_path):
    """A worker that is told by a message to stop is not ready, and alive until its task ends."""
    go = tmp_path / "go"
    environ = {"DOCKERFLOW_WORKER_STALL_SECONDS": "2"}
    with celeryd.worker(f"--pool={pool}", "--concurrency=1", **environ) as worker:
        task_id = celeryd.send("patient", str(go))
        worker.wait_for_line("patient began", timeout=30)
        worker.wait_for("readiness", 200)
        celeryd.app.control.shutdown()
        worker.wait_for("readiness", 503, timeout=5)
        # For longer than a loop may stand still.
        assert liveness_until_it_ends(worker, then=go.touch) == {200}
        assert worker.wait(timeout=30).code == 0
        assert [each["state"] for each in worker.summaries(task_id)] == ["SUCCESS"]


def liveness_until_it_ends(worker, then=lambda: None):
    """Ask for six seconds, or until the worker ends if that is earlier."""
    end, found = time.monotonic() + 6, set()
    while time.monotonic() < end and (status := worker.status("liveness")):
        found.add(status)
        time.sleep(0.1)
    then()
    return found


@pytest.mark.long
def test_taken_port(celeryd):
    """A probe port that is taken is one line, and status 1; no traceback."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        number = str(taken.getsockname()[1])
        with celeryd.program("worker", DOCKERFLOW_PROBE_PORT=number) as worker:
            assert worker.wait(timeout=60).code == 1
            lines = worker.lines()
    (line,) = [line for line in lines if "probe port" in line]
    assert f"{LOOPBACK}:{number}" in line
    assert "Traceback" not in "\n".join(lines)


@pytest.mark.long
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DOCKERFLOW_PROBE_PORT", "90000"),
        ("DOCKERFLOW_PROBE_FILE", "probes"),
        ("DOCKERFLOW_WORKER_STALL_SECONDS", "soon"),
    ],
)
def test_wrong_environment(celeryd, name, value):
    """A worker with a wrong value says which, and ends with status 1; no traceback."""
    with celeryd.program("worker", **{name: value}) as worker:
        assert worker.wait(timeout=60).code == 1
        lines = worker.lines()
    (line,) = [line for line in lines if name in line]
    assert repr(value) in line
    assert "Traceback" not in "\n".join(lines)


@pytest.mark.long
def test_children_inherit_no_probe_port(celeryd):
    """A child holds neither the listener nor a connection of the probes."""
    with celeryd.worker("--concurrency=2", "--max-tasks-per-child=1") as worker:
        worker.wait_for("readiness", 200)
        for task_id in [celeryd.send("add", 1, 1) for _ in range(4)]:
            worker.wait_for_summaries(task_id)

        def worker_alone_listens():
            family = worker.family()
            listening = [each.pid for each in family if listens(each, worker.address[1])]
            return len(family) > 1 and listening == [worker.pid]

        # A child that has just been forked has yet to close what it inherits.
        wait_until(worker_alone_listens)


def listens(process, port):
    try:
        found = process.net_connections("tcp")
    except psutil.NoSuchProcess:  # a child of few tasks
        return False
    return any(each.laddr.port == port and each.status == "LISTEN" for each in found)


@pytest.mark.long
def test_embedded_beat_is_not_judged(celeryd, tmp_path):
    """A worker with `-B` says that its probes do not judge beat, and has its port for itself."""
    schedule = f"--schedule={tmp_path / 'schedule'}"
    with celeryd.worker("-B", "--concurrency=1", schedule) as worker:
        worker.wait_for_line("do not judge its embedded beat")
        worker.wait_for_line("beat: Starting", timeout=30)
        worker.wait_for("readiness", 200)
        assert "probe port" not in "\n".join(worker.lines())


@pytest.mark.long
def test_metrics_are_the_parents(celeryd):
    """Tasks are counted without a folder, by their registered names, with their durations."""
    with celeryd.worker("--concurrency=2") as worker:
        for task_id in [celeryd.send("add", 1, 1) for _ in range(3)]:
            worker.wait_for_summaries(task_id)
        shadow = celeryd.send("add", 1, 1, shadow="somebody's own")
        worker.wait_for_summaries(shadow)
        metrics = wait_until(
            lambda: (
                (text := request(worker.address, path="/__metrics__").body.decode())
                and re.search(r"dockerflow_task_duration_seconds_count\S+ 4\.0", text)
                and text
            ),
            timeout=30,
        )
    assert counted("add", 4) in metrics
    assert "somebody" not in metrics


def counted(task, count):
    return f'dockerflow_tasks_total{{state="SUCCESS",task="{MODULE}.{task}"}} {count}.0'


@pytest.mark.long
def test_a_project_s_own_metrics_of_children(celeryd, tmp_path):
    """With a folder for them the metrics of the children are there too."""
    folder = tmp_path / "metrics"
    folder.mkdir()
    with celeryd.worker("--concurrency=2", PROMETHEUS_MULTIPROC_DIR=str(folder)) as worker:
        worker.wait_for_summaries(celeryd.send("count_own"))
        wait_until(
            lambda: (
                {"project_own_total 1.0", counted("count_own", 1)}
                <= set(request(worker.address, path="/__metrics__").body.decode().splitlines())
            ),
            timeout=30,
        )


@pytest.mark.long
@pytest.mark.parametrize(("broker", "url"), [("redis", redis_url), ("amqp", amqp_url)])
def test_no_password_anywhere(project, tmp_path, broker, url):
    """A password in the broker's URL, here a wrong one, is in no answer, line, metric or help."""
    require(broker)
    secret = "sw0rdf1sh"
    wrong = with_password(url(), secret)
    celeryd = Celeryd(project, wrong)
    path = tmp_path / "probes"
    with celeryd.program("worker", DOCKERFLOW_PROBE_FILE=str(path)) as worker:
        worker.wait_for("readiness", 503, timeout=60)
        # The port may answer before the first heartbeat has written the file.
        wait_until(path.exists, timeout=60)
        wait_until(lambda: "E013" in path.read_text() or said(worker), timeout=60)
        told = [worker.text(probe) for probe in PROBES]
        told.append(request(worker.address, path="/__metrics__").body.decode())
        told.append(path.read_text())
        worker.kill()
        told += worker.lines()
    assert secret not in "\n".join(told)


def with_password(url, secret):
    """Return the URL with a user that the broker does not know."""
    parts = urlsplit(url)
    return urlunsplit(parts._replace(netloc=f"somebody:{secret}@{parts.hostname}:{parts.port}"))


def said(worker):
    return [line for line in worker.lines() if "broker does not answer" in line]


@pytest.mark.long
def test_webhooks(celeryd):
    """A worker tells of its startup, and of nothing else while all is well."""
    with Receiver() as receiver:
        hook = {"DOCKERFLOW_WEBHOOK_URL": receiver.url}
        with celeryd.worker("--concurrency=2", **hook) as worker:
            worker.wait_for("readiness", 200)
            worker.wait_for_summaries(celeryd.send("add", 1, 1))
            posts = wait_until(lambda: receiver.posts, timeout=30)
            assert worker.stop().code == 0
        told = [(post.json()["type"], post.json()["status"]) for post in posts]
    assert ("startup", "succeeded") in told
    assert all(status != "failed" for _, status in told)


@pytest.mark.long
def test_without_port_file_and_webhook(celeryd):
    """Nobody can learn what the probes say: the worker has no thread of ours, and its records."""
    with celeryd.worker("--concurrency=1", DOCKERFLOW_PROBE_PORT="") as worker:
        assert worker.wait_for_summaries(celeryd.send("add", 1, 1))
        names = [
            each.read_text().strip() for each in Path(f"/proc/{worker.pid}/task").glob("*/comm")
        ]
    assert len(names) == 1


SETTINGS = """
DATABASES = {}
INSTALLED_APPS = ["dockerflow_django"]
SECRET_KEY = "only for tests"
"""


def test_instrumented_while_settings_load(tmp_path):
    """A project that makes its app in its own package does so while its settings are loading."""
    package = tmp_path / "shop"
    package.mkdir()
    (package / "__init__.py").write_text("from shop.celery import app\n")
    (package / "celery.py").write_text(
        "from celery import Celery\nfrom dockerflow_django.celery import instrument\n"
        "app = Celery('shop')\napp.config_from_object('django.conf:settings', namespace='CELERY')\n"
        "app.autodiscover_tasks()\ninstrument(app)\n"
    )
    (package / "settings.py").write_text(SETTINGS)
    code = "import django; django.setup(); import shop; print(shop.app.main)"
    env = Project(tmp_path).with_environ(DJANGO_SETTINGS_MODULE="shop.settings").env()
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=tmp_path,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("shop\n", "")


def test_what_a_worker_starts(monkeypatch, caplog, settings):
    """Its tasks are observed in any case; it answers probes where anybody asks, but for beat's."""
    started, watched = [], []
    monkeypatch.setattr(WorkerHealth, "start", lambda health: started.append(health._worker))
    monkeypatch.setattr(WorkerHealth, "watch_loop", lambda health: watched.append(health._worker))
    app = Celery("steps", broker="memory://", set_as_current=False, fixups=[])

    @app.task(name="observed", shared=False)
    def observed():
        """Do nothing."""

    worker = SimpleNamespace(app=app, beat=None, pool_cls=TaskPool)
    step = DockerflowStep(worker)
    consumer = SimpleNamespace(controller=worker)
    settings.DOCKERFLOW_PROBE_PORT = settings.DOCKERFLOW_PROBE_FILE = None
    settings.DOCKERFLOW_WEBHOOK_URL = None
    step.start(worker)
    LoopStep(consumer).start(consumer)
    assert issubclass(observed.Request, ObservedRequest)
    assert started == watched == []
    settings.DOCKERFLOW_PROBE_PORT = 8001
    step.start(worker)
    LoopStep(consumer).start(consumer)
    assert started == watched == [worker]
    assert "embedded beat" not in caplog.text
    worker.beat = object()
    step.start(worker)
    assert "do not judge its embedded beat" in caplog.text


def test_draining_whatever_stops_it(fresh):
    """A worker drains when it closes, and before the pause of a soft shutdown."""
    found = []
    worker = SimpleNamespace(
        app=None, wait_for_soft_shutdown=lambda: found.append(lifecycle.process.is_draining)
    )
    step = DockerflowStep(worker)
    step.close(worker)  # without probes: it may be a test's, inside another process
    assert not lifecycle.process.is_draining
    worker.dockerflow = WorkerHealth(worker)
    worker.dockerflow._drain_before_soft_shutdown()
    worker.wait_for_soft_shutdown()
    assert found == [True]
    lifecycle.process.draining_since = None
    step.close(worker)
    assert lifecycle.process.is_draining


def test_a_worker_of_a_test(fresh, settings, monkeypatch, tmp_path):
    """A worker in another thread answers no probes, and leaves the process as ready as it was."""
    app = Celery("tested", broker="memory://", set_as_current=False, fixups=[])
    instrument(app)
    settings.DOCKERFLOW_PROBE_FILE = str(tmp_path / "probes")
    # It would be every other test's default, and log as it likes.
    setup = "celery.contrib.testing.worker.setup_app_for_worker"
    monkeypatch.setattr(setup, lambda app, loglevel, logfile: app.finalize())
    with start_worker(app, pool="solo", perform_ping_check=False) as worker:
        assert worker.dockerflow is None
    assert not (tmp_path / "probes").exists()
    assert not lifecycle.process.is_draining


@pytest.mark.parametrize("is_green", [True, False])
def test_whose_process_it_is(is_green):
    """In a pool of greenlets a worker's own thread need not look like the main one."""
    worker = SimpleNamespace(pool_cls=SimpleNamespace(is_green=is_green))
    assert _is_own_process(worker)
    with ThreadPoolExecutor() as threads:
        assert threads.submit(_is_own_process, worker).result() is is_green


def test_port_that_is_taken(fresh, settings, caplog):
    """A worker whose probe port is taken logs one line, sends a webhook, and ends with status 1."""
    app = Celery("steps", broker="memory://", set_as_current=False, fixups=[])
    worker = SimpleNamespace(app=app, beat=None, pool_cls=TaskPool)
    with Receiver() as receiver, socket.create_server((LOOPBACK, 0)) as taken:
        settings.DOCKERFLOW_PROBE_HOST, settings.DOCKERFLOW_PROBE_PORT = taken.getsockname()
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        with pytest.raises(SystemExit) as ended:
            DockerflowStep(worker).start(worker)
        assert receiver.news() == [("startup", "failed")]
    assert ended.value.code == 1
    (line,) = [line for line in caplog.messages if "The worker does not start" in line]
    assert f"{LOOPBACK}:{settings.DOCKERFLOW_PROBE_PORT}: Address already in use" in line


def test_wrong_setting(fresh, settings, caplog):
    """A worker with a wrong setting logs what is wrong, and ends with status 1, port or no port."""
    app = Celery("steps", broker="memory://", set_as_current=False, fixups=[])
    worker = SimpleNamespace(app=app, beat=None, pool_cls=TaskPool)
    settings.DOCKERFLOW_PROBE_PORT = 90000
    with pytest.raises(SystemExit) as ended:
        DockerflowStep(worker).start(worker)
    assert ended.value.code == 1
    assert "DOCKERFLOW_PROBE_PORT" in caplog.text
    assert "The worker does not start: the settings are wrong, see above" in caplog.messages


@pytest.mark.parametrize(
    ("name", "value", "is_told"),
    [
        ("DOCKERFLOW_PROBE_PORT", 90000, True),
        ("DOCKERFLOW_WEBHOOK_SECRET", 7, False),
    ],
)
def test_webhook_about_a_wrong_setting(fresh, settings, name, value, is_told):
    """A wrong setting is told by webhook too, unless the webhook could not be signed."""
    worker = SimpleNamespace(app=None, beat=None)
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        setattr(settings, name, value)
        with pytest.raises(SystemExit):
            DockerflowStep(worker).start(worker)
        assert receiver.news() == ([("startup", "failed")] if is_told else [])


def test_ready_while_the_broker_answers(fresh):
    """A worker is ready while it takes tasks: it needs a broker that answers, and a connection."""
    consumer = SimpleNamespace(connection=object())
    health = WorkerHealth(SimpleNamespace(app=None, consumer=consumer))
    health._broker = SimpleNamespace(is_asked=True, answers_since=1.0)

    def found():
        return [(message.id, message.msg) for message in health.readiness()]

    assert [id_ for id_, _ in found()] == [INFO_STARTING]
    health._on_ready()
    assert found() == []
    health._broker.is_asked = False
    assert [id_ for id_, _ in found()] == [INFO_STARTING]
    health._broker = SimpleNamespace(is_asked=True, answers_since=None)
    assert found() == [(ERROR_CELERY_BROKER, "The Celery broker cannot be reached.")]
    health._broker.answers_since = 1.0
    consumer.connection = None
    lost = "The worker has lost its broker, and waits before it tries again."
    assert found() == [(ERROR_CELERY_BROKER, lost)]
    lifecycle.process.drain()
    assert found() == []  # a worker that drains has closed its connection itself
