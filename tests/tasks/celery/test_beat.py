"""Beat answers its probes while it sleeps, and passes none when it no longer ticks."""

import atexit
import json
import socket
from signal import SIGCONT, SIGSTOP, SIGTERM
from types import SimpleNamespace

import pytest
from billiard import current_process
from celery import Celery
from celery.beat import Scheduler, Service

from dockerflow_django.health import ERROR_CELERY_BROKER, INFO_STARTING
from dockerflow_django.tasks.celery import beat, stages
from dockerflow_django.tasks.celery.beat import BeatHealth
from tests.harness.http import request
from tests.harness.ports import LOOPBACK
from tests.harness.receiver import Receiver
from tests.harness.waiting import wait_until
from tests.tasks.celery.test_worker import PROBES, asked_by_file

# Nothing to send: it sleeps for its longest interval, five minutes.
NOTHING = {"beat_max_loop_interval": 300}


@pytest.fixture
def schedule(tmp_path):
    return f"--schedule={tmp_path / 'schedule'}"


@pytest.mark.long
def test_asleep_for_long_it_is_alive(celeryd, schedule, tmp_path):
    """A beat with a rare schedule is alive for longer than it may be late; it ends with 0."""
    celeryd.conf = NOTHING
    path = tmp_path / "probes"
    environ = {"DOCKERFLOW_PROBE_FILE": str(path), "DOCKERFLOW_WORKER_STALL_SECONDS": "0.5"}
    with celeryd.program("beat", schedule, **environ) as beat:
        beat.wait_for("readiness", 200, timeout=60)
        for _ in range(20):
            assert beat.status("liveness") == 200
            wait_until(lambda: asked_by_file(path, "liveness") == 0)
        assert beat.stop(SIGTERM).code == 0
    assert not path.exists()


@pytest.mark.long
def test_frozen_it_passes_no_probe(celeryd, schedule, tmp_path):
    """The file of a beat that is stopped by a signal is soon stale; it passes when it goes on."""
    path = tmp_path / "probes"
    with celeryd.program("beat", schedule, DOCKERFLOW_PROBE_FILE=str(path)) as beat:
        beat.wait_for("readiness", 200, timeout=60)
        beat.send_signal(SIGSTOP)
        wait_until(lambda: asked_by_file(path, "liveness") == 1, timeout=30)
        assert [asked_by_file(path, probe) for probe in PROBES] == [1, 1, 1]
        beat.send_signal(SIGCONT)
        wait_until(lambda: asked_by_file(path, "liveness") == 0, timeout=30)


@pytest.mark.long
def test_stuck_it_is_not_alive(celeryd, tmp_path):
    """A beat that does not come back from its schedule is not alive, until it does."""
    stuck = tmp_path / "stuck"
    celeryd.conf = {"beat_scheduler": "tests.tasks.celery.project:StuckScheduler"}
    environ = {"STUCK": str(stuck), "DOCKERFLOW_WORKER_STALL_SECONDS": "3"}
    with celeryd.program("beat", **environ) as beat:
        beat.wait_for("readiness", 200, timeout=60)
        assert beat.status("liveness") == 200
        stuck.touch()
        beat.wait_for("liveness", 503)
        stuck.unlink()
        beat.wait_for("liveness", 200)


@pytest.mark.long
def test_a_beat_s_tasks_have_an_id(celeryd, schedule):
    """What beat sends has an id of its own, and the worker's record shows it."""
    celeryd.conf = {
        "beat_schedule": {
            "add": {"task": "tests.tasks.celery.project.add", "schedule": 0.5, "args": [1, 1]}
        }
    }
    with celeryd.worker("--concurrency=1") as worker, celeryd.program("beat", schedule):
        wait_until(lambda: len(worker.summaries()) > 1, timeout=60)
        rids = [each["rid"] for each in worker.summaries()]
    assert len(set(rids)) == len(rids)
    assert {len(rid) for rid in rids} == {32}


@pytest.mark.long
def test_logging_is_the_project_s(celeryd, schedule):
    """What beat logs is a line of the project's `LOGGING`."""
    with celeryd.program("beat", schedule) as beat:
        beat.wait_for("readiness", 200, timeout=60)
        (line,) = [line for line in beat.lines("stdout") if "beat: Starting" in line]
    assert json.loads(line)["Logger"] == "project"


@pytest.mark.long
def test_taken_port(celeryd, schedule):
    """A probe port that is taken is one line, and status 1."""
    with socket.create_server((LOOPBACK, 0)) as taken:
        number = str(taken.getsockname()[1])
        with celeryd.program("beat", schedule, DOCKERFLOW_PROBE_PORT=number) as beat:
            assert beat.wait(timeout=60).code == 1
            (line,) = [line for line in beat.lines() if "Beat does not start" in line]
    assert f"{LOOPBACK}:{number}" in line


@pytest.fixture
def service():
    """Give beat's own service, which nobody starts, for a broker in this process."""
    app = Celery("beat", broker="memory://", set_as_current=False, fixups=[])
    return Service(app, scheduler_cls=Scheduler)


def test_from_start_to_stop(fresh, address, service):
    """The port passes the three probes once the broker has answered, and is free after the end."""
    health = BeatHealth(service)
    health.start()
    atexit.unregister(health.stop)
    try:
        for probe in PROBES:
            path = f"/__heartbeat__/{probe}"
            wait_until(lambda path=path: request(address, path=path).status == 200)
    finally:
        health.stop()
    socket.create_server(address).close()


def test_port_that_is_taken(fresh, settings, service, caplog):
    """A beat whose probe port is taken logs one line, sends a webhook, and ends with status 1."""
    with Receiver() as receiver, socket.create_server((LOOPBACK, 0)) as taken:
        settings.DOCKERFLOW_PROBE_HOST, settings.DOCKERFLOW_PROBE_PORT = taken.getsockname()
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        with pytest.raises(SystemExit) as ended:
            beat.watch(service)
        assert receiver.news() == [("startup", "failed")]
    assert ended.value.code == 1
    (line,) = [line for line in caplog.messages if "Beat does not start" in line]
    assert f"{LOOPBACK}:{settings.DOCKERFLOW_PROBE_PORT}: Address already in use" in line


def test_ready_while_the_broker_answers():
    """Beat starts until its broker was asked, and is not ready while that does not answer."""
    health = BeatHealth.__new__(BeatHealth)
    health._broker = SimpleNamespace(is_asked=False, answers_since=None)

    def ids():
        return [message.id for message in health.readiness()]

    assert ids() == [INFO_STARTING]
    health._broker.is_asked = True
    assert ids() == [ERROR_CELERY_BROKER]
    health._broker.answers_since = 1.0
    assert ids() == []


def test_nobody_asks(monkeypatch, settings, service):
    """Where nobody can learn what the probes say, beat has no thread of ours."""
    started = []
    monkeypatch.setattr(BeatHealth, "start", lambda health: started.append(health._broker))
    settings.DOCKERFLOW_PROBE_PORT = settings.DOCKERFLOW_PROBE_FILE = None
    settings.DOCKERFLOW_WEBHOOK_URL = None
    stages.enter_beat(service)
    assert started == []
    settings.DOCKERFLOW_PROBE_PORT = 8001
    stages.enter_beat(service)
    assert len(started) == 1


def test_embedded_in_a_worker(monkeypatch, settings, service):
    """A beat that a worker has started, as a process of its own name, is not watched."""
    settings.DOCKERFLOW_PROBE_PORT = 90000
    monkeypatch.setattr(current_process(), "name", "Beat")
    stages.enter_beat(service)


def test_wrong_setting(fresh, settings, service, caplog):
    """A beat with a wrong setting logs what is wrong and ends with status 1, port or no port."""
    settings.DOCKERFLOW_PROBE_PORT = 90000
    with pytest.raises(SystemExit) as ended:
        stages.enter_beat(service)
    assert ended.value.code == 1
    assert "DOCKERFLOW_PROBE_PORT" in caplog.text
    assert "Beat does not start: the settings are wrong, see above" in caplog.messages


@pytest.mark.long
def test_wrong_environment(celeryd, schedule):
    """A beat really ends, although Celery outlives what a receiver of its signals raises."""
    with celeryd.program("beat", schedule, DOCKERFLOW_WORKER_STALL_SECONDS="soon") as beat:
        assert beat.wait(timeout=60).code == 1
        lines = beat.lines()
    (line,) = [line for line in lines if "DOCKERFLOW_WORKER_STALL_SECONDS" in line]
    assert "'soon'" in line
    assert "Traceback" not in "\n".join(lines)
