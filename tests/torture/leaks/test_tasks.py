"""Background workers whose tasks and messages hold secrets in arguments and exceptions."""

import sys
from collections.abc import Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from tests.harness.http import request
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Process
from tests.harness.project import Project
from tests.harness.queues import Queue
from tests.harness.waiting import wait_until
from tests.services import amqp_url, redis_url, require
from tests.tasks.celery.workers import Celeryd
from tests.torture.figures import Figures
from tests.torture.leaks.secrets import Secrets

HANDLER = "tests.project.messages.handle"
PATHS = ("/__heartbeat__/readiness", "/__heartbeat__/liveness", "/__metrics__")


@pytest.fixture
def celeryd(project: Project, secrets: Secrets) -> Iterator[Celeryd]:
    """Give a worker whose broker takes any password."""
    require("redis")
    parts = urlsplit(redis_url())
    password = secrets.plant("broker_url")
    url = parts._replace(netloc=f":{password}@{parts.hostname}:{parts.port}").geturl()
    celeryd = Celeryd(project.with_environ(DOCKERFLOW_PROBE_FILE=f"{project.folder}/probes"), url)
    yield celeryd
    celeryd.close()


def said(secrets: Secrets, place: str) -> str:
    """Return a sentence that has a secret in some forms."""
    planted = secrets.plant(place)
    return f"no amqp://ada:{planted}@mq with password={planted}, {{'token': '{planted}'}}"


def test_leaks_of_celery(celeryd: Celeryd, secrets: Secrets, figures: Figures) -> None:
    """A worker's log, its probes and its file tell no secret of a task or of its broker."""
    control = secrets.control("text of a task")
    with celeryd.worker("--pool", "prefork", "--concurrency", "1") as worker:
        for text in (control, said(secrets, "argument"), said(secrets, "argument again")):
            failed = celeryd.send("fail", text)
        worker.wait_for_summaries(failed)
        for path in PATHS:
            answer = request(worker.address, path=path)
            secrets.search("probe port", answer.body, str(answer.headers))
        secrets.search("probe file", (celeryd._project.folder / "probes").read_bytes())
        for process in worker.family():
            secrets.search("command lines", *process.cmdline())
        assert worker.stop().code == 0
        secrets.search("log", *worker.lines())
    secrets.note(figures, "Celery")
    secrets.assert_kept("log")


def test_leaks_of_consume(project: Project, secrets: Secrets, figures: Figures) -> None:
    """What is in a message, or in what its handler raises, is in no line."""
    project = project.with_environ(DOCKERFLOW_PROBE_HOST=LOOPBACK, PROJECT_LOGGING="1")
    with ExitStack() as stack:
        queue, port = stack.enter_context(Queue()), stack.enter_context(Port())
        project = project.with_environ(DOCKERFLOW_PROBE_PORT=str(port.number))
        argv = ["-m", "tests.project.manage", "consume", HANDLER, "--queue", queue.name]
        env = project.with_settings(AMQP_URL=amqp_url()).env()
        consumer = stack.enter_context(Process([sys.executable, *argv], env=env))
        control = secrets.control("text of a message")
        wait_until(lambda: _status(port) == 200, timeout=60, what=lambda: str(consumer.output))
        body = {"password": secrets.plant("body"), "error": said(secrets, "exception")}
        queue.publish(body, {"error": control})
        queue.publish(
            said(secrets, "undecodable body"),
            content_type="application/json",
            content_encoding="utf-8",
        )
        wait_until(lambda: sum("message.summary" in line for line in consumer.lines()) == 3)
        for path in PATHS:
            secrets.search("probe port", request((LOOPBACK, port.number), path=path).body)
        assert consumer.stop().code == 0
        secrets.search("log", *consumer.lines())
    secrets.note(figures, "consume")
    secrets.assert_kept("log")


def _status(port: Port) -> int:
    try:
        return request((LOOPBACK, port.number), path=PATHS[0]).status
    except OSError:
        return 0
