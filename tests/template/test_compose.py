"""What Compose starts, started here: its commands and its environment, with real services."""

import json
import re
from contextlib import ExitStack
from shutil import copytree
from signal import SIGTERM
from uuid import uuid4

import kombu
import pytest
import redis
import yaml

from tests.harness import http
from tests.harness.ports import LOOPBACK, Port
from tests.harness.waiting import wait_until
from tests.services import amqp_url, require
from tests.template.conftest import NAME, Made

SECONDS = 60


class Stack:
    """The services of a Compose file that run the app, without their containers."""

    def __init__(self, project, postgresql, redis, broker=None):
        self.project = project
        # Not in the project's folder: a file that changes there reloads the server.
        self.temporary = project.folder.parent
        self.services = yaml.safe_load(project.text("compose.yaml"))["services"]
        # The first stage with a command is the one for development.
        commands = re.findall(r"^CMD (.*)", project.text("Dockerfile"), re.MULTILINE)
        self.default_command = json.loads(commands[0])
        # What containers reach by name.
        self.hosts = {
            "POSTGRES_HOST": LOOPBACK,
            "POSTGRES_PORT": str(postgresql.port),
            "POSTGRES_DB": f"app_{uuid4().hex}",
            "POSTGRES_USER": "postgres",
            "REDIS_URL": redis.url(0),
            "CELERY_BROKER_URL": broker or redis.url(1),
        }
        self.stack = ExitStack()
        postgresql.execute(f'CREATE DATABASE "{self.hosts["POSTGRES_DB"]}"')

    def environ(self, name):
        given = self.services[name]["environment"]
        probes = {"DOCKERFLOW_PROBE_FILE": self.probe_file(name)} if name != "web" else {}
        return {**given, **self.hosts, **probes, "DOCKERFLOW_PROBE_HOST": LOOPBACK}

    def probe_file(self, name):
        return str(self.temporary / f"{name}.json")

    def start(self, name, *more):
        """Start a service by its own command, its ports and files replaced by free ones."""
        service = self.services[name]
        entrypoint = service.get("entrypoint", ["python", "manage.py"])
        command = service.get("command", self.default_command)
        given = [part.replace("/tmp/", f"{self.temporary}/") for part in command]
        program = {"celery": ["-m", "celery"], "python": []}[entrypoint[0]]
        probe_port, port = (self.stack.enter_context(Port()) for _ in range(2))
        ports = {"DOCKERFLOW_PROBE_PORT": str(probe_port.number), "PORT": str(port.number)}
        arguments = [*program, *entrypoint[1:], *given, *more]
        process = self.project.start(*arguments, **{**self.environ(name), **ports})
        self.stack.enter_context(process)
        return process, port.number, probe_port.number

    def is_healthy(self, name):
        check = self.services[name]["healthcheck"]["test"]
        arguments = [part.replace("/tmp/probes.json", self.probe_file(name)) for part in check[2:]]
        return self.project.call(*arguments, **self.environ(name)).returncode == 0


@pytest.fixture
def stack(made, tmp_path, postgresql, private_redis):
    """Give Compose's services on a database of their own, migrated by the service for that."""
    stack = Stack(Made(copytree(made.folder, tmp_path / NAME)), postgresql, private_redis)
    with stack.stack:
        stack.project.manage(*stack.services["migrate"]["command"], **stack.environ("migrate"))
        yield stack


def status(port, path):
    try:
        return http.request((LOOPBACK, port), path=path).status
    except OSError:
        return None


@pytest.mark.long
def test_web_worker_and_beat(stack):
    """All three become healthy, a task is done and told, and each ends well at SIGTERM."""
    web, port, probe_port = stack.start("web")
    worker, *_, worker_port = stack.start("worker")
    beat, *_, beat_port = stack.start("beat")
    for each in (probe_port, worker_port, beat_port):
        wait_until(
            lambda each=each: status(each, "/__heartbeat__/readiness") == 200,
            timeout=SECONDS,
            what=f"ready:\n{web.output}\n{worker.output}\n{beat.output}",
        )
        alive = http.request((LOOPBACK, each), path="/__heartbeat__/liveness")
        assert alive.status == 200, alive.body
        assert status(each, "/__metrics__") == 200
    assert all(map(stack.is_healthy, ("worker", "beat")))
    wait_until(
        lambda: status(port, "/__heartbeat__") == 200, timeout=SECONDS, what="every service is well"
    )
    checks = http.request((LOOPBACK, port), path="/__heartbeat__").json()["checks"]
    assert {name.rpartition(".")[2] for name in checks} >= {"check_caches", "check_celery_broker"}
    send = "from tweets.tasks import count_tweets; count_tweets.delay()"
    stack.project.manage("shell", "-c", send, **stack.environ("worker"))
    worker.wait_for_line(r".*task\.summary.*count_tweets.*", stream="stdout")
    for process in (beat, worker, web):
        assert process.stop(timeout=SECONDS).code == 0


PATIENT = """

@shared_task
def patient(path: str) -> None:
    import pathlib, time
    logger.info("A patient task began")
    while not pathlib.Path(path).exists():
        time.sleep(0.01)
"""


@pytest.mark.long
def test_worker_ends_with_tasks_in_hand(stack, tmp_path):
    """After SIGTERM a task may still end; what does not goes back to the queue, and the worker."""
    with (stack.project.folder / "tweets" / "tasks.py").open("a") as tasks:
        tasks.write(PATIENT)
    environ = stack.services["worker"]["environment"]
    environ["CELERY_SOFT_SHUTDOWN_SECONDS"] = "5"
    worker, *_ = stack.start("worker", "--concurrency=2")
    ends, never = (str(tmp_path / name) for name in ("ends", "never"))
    send = f"from tweets.tasks import patient; [patient.delay(p) for p in ({ends!r}, {never!r})]"
    stack.project.manage("shell", "-c", send, **stack.environ("worker"))
    wait_until(
        lambda: str(worker.output).count("A patient task began") == 2,
        timeout=SECONDS,
        what=lambda: str(worker.output),
    )
    worker.send_signal(SIGTERM)
    worker.wait_for_line(".*Initiating Soft Shutdown.*", stream="stdout")
    (tmp_path / "ends").touch()
    assert worker.wait(timeout=SECONDS).code == 0
    with redis.Redis.from_url(stack.hosts["CELERY_BROKER_URL"]) as queue:
        (left,) = queue.lrange("celery", 0, -1)
    assert never in json.loads(left)["headers"]["argsrepr"]


@pytest.mark.long
def test_own_tests(stack):
    """The project's tests pass on PostgreSQL, with Redis, as `make test` runs them."""
    tests = stack.project.run(
        *("-m", "pytest", "-q", "-p", "no:cacheprovider"), **stack.environ("web")
    )
    assert " passed" in tests.stdout


@pytest.mark.long
def test_worker_on_rabbitmq(made, tmp_path, postgresql, private_redis):
    """Another broker needs another URL only."""
    require("amqp")
    project = Made(copytree(made.folder, tmp_path / NAME))
    stack = Stack(project, postgresql, private_redis, broker=amqp_url())
    queue = f"template-{uuid4().hex}"
    environ = stack.environ("worker")
    with stack.stack:
        stack.stack.callback(delete_queue, queue)
        project.manage("migrate", "--verbosity=0", **environ)
        worker, *_, port = stack.start("worker", "--queues", queue)
        ready = "/__heartbeat__/readiness"
        wait_until(lambda: status(port, ready) == 200, timeout=SECONDS, what=str(worker.output))
        send = f"from tweets.tasks import count_tweets; count_tweets.apply_async(queue='{queue}')"
        project.manage("shell", "-c", send, **environ)
        worker.wait_for_line(r".*task\.summary.*count_tweets.*", stream="stdout")
        assert worker.stop(timeout=SECONDS).code == 0


def delete_queue(name):
    with kombu.Connection(amqp_url()) as connection:
        connection.default_channel.queue_delete(name)
        connection.default_channel.exchange_delete(name)
