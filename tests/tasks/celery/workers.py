"""Workers and beat of the project in subprocesses, and what they have written."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from signal import SIGTERM, SIGUSR1, Signals
from typing import Any
from uuid import uuid4

import redis
from celery import Celery
from kombu import Connection

from tests.harness.http import request
from tests.harness.ports import LOOPBACK, Port
from tests.harness.processes import Exit, Process
from tests.harness.project import Project
from tests.harness.waiting import wait_until
from tests.tasks.celery.project import make_app

START_SECONDS = 60
MODULE = "tests.tasks.celery.project"


class Celeryd:
    """A broker's corner of this test's own, and the processes that work in it."""

    def __init__(self, project: Project, broker: str) -> None:
        self.name = f"dockerflow-{uuid4().hex[:12]}"
        self.broker = self.workers_broker = broker
        self.conf: dict[str, Any] = {}
        self._project = project.with_environ(
            C_FORCE_ROOT="1", DOCKERFLOW_PROBE_HOST=LOOPBACK, PROJECT_LOGGING="1"
        )
        self.app: Celery = make_app(broker, self.name)
        self.transport_options: dict[str, Any] = self.app.conf.broker_transport_options

    def send(self, task: str, *args: Any, **options: Any) -> str:
        """Send a task of the project by its name, and return its id."""
        found = self.app.send_task(f"{MODULE}.{task}", args, **options)
        return str(found.id)

    @contextmanager
    def worker(self, *options: str, **environ: str) -> Iterator["Program"]:
        """Run a worker until it takes tasks; it is killed at the end."""
        with self.program("worker", "--without-mingle", *options, **environ) as worker:
            worker.wait_for_line(r" ready\.", timeout=START_SECONDS)
            yield worker

    @contextmanager
    def program(self, *arguments: str, **environ: str) -> Iterator["Program"]:
        command = [sys.executable, "-W", "ignore", "-m", "celery", "-A", MODULE, "-q", *arguments]
        project = self._project.with_environ(
            CELERY_BROKER=self.workers_broker,
            CELERY_NAME=self.name,
            CELERY_CONF=json.dumps(self.conf),
            **environ,
        )
        with Port() as port:
            env = {"DOCKERFLOW_PROBE_PORT": str(port.number)} | project.env()
            with Program(command, port.number, env, self._project) as program:
                yield program

    def close(self) -> None:
        """Leave nothing on the broker."""
        (self._remove_queues if self.broker.startswith("amqp") else self._remove_keys)()

    def _remove_queues(self) -> None:
        with Connection(self.broker) as connection, connection.channel() as channel:
            for queue in self.app.amqp.queues:
                channel.queue_delete(queue)
            for exchange in (
                *(self.name, f"{self.name}-topics", f"{self.name}-events"),
                *(f"{self.name}.pidbox", f"reply.{self.name}.pidbox"),
            ):
                channel.exchange_delete(exchange)

    def _remove_keys(self) -> None:
        with redis.Redis.from_url(self.broker) as client:
            for key in client.scan_iter(f"{self.name}*", count=1000):
                client.delete(key)


# A child that ends waits for half a minute for its parent to have taken its last result, which a
# parent that is told to stop just then does not (`GUARANTEE_MESSAGE_CONSUMPTION_RETRY_LIMIT` of
# billiard's pool).
STOP_SECONDS = 60.0


class Program(Process):
    """One of the project's processes, with a probe port."""

    def __init__(self, command: list[str], port: int, env: dict[str, str], project: Project):
        super().__init__(command, env=env, cwd=project.folder)
        self.address = LOOPBACK, port

    def stop(self, number: Signals = SIGTERM, timeout: float = STOP_SECONDS) -> Exit:
        """Send a signal and wait for the end."""
        return super().stop(number, timeout)

    def wait(self, timeout: float = STOP_SECONDS) -> Exit:
        """Wait for the end; of one that does not come, Celery tells what each thread does."""
        try:
            return super().wait(timeout)
        except AssertionError:
            self.send_signal(SIGUSR1)
            with suppress(AssertionError):
                self.wait_for_line("LOCAL VARIABLES", timeout=5)
            raise AssertionError(f"still running after {timeout} s:\n{self.output}") from None

    def status(self, probe: str) -> int:
        """Return the status of a probe, 0 if nobody answers."""
        try:
            return request(self.address, path=f"/__heartbeat__/{probe}").status
        except OSError:
            return 0

    def wait_for(self, probe: str, status: int, timeout: float = 30) -> None:
        wait_until(
            lambda: self.status(probe) == status, timeout=timeout, what=f"{probe} is {status}"
        )

    def text(self, probe: str) -> str:
        """Return the body of a probe's answer."""
        return request(self.address, path=f"/__heartbeat__/{probe}").body.decode()

    def records(self, logger: str | None = None) -> list[dict[str, Any]]:
        """Return the lines of a logger, of all by default."""
        found = [json.loads(line) for line in self.lines() if line.startswith("{")]
        return [line for line in found if logger in (None, line["Type"])]

    def summaries(self, task_id: str | None = None) -> list[dict[str, Any]]:
        """Return the fields of the records of tasks, of one task if that is given."""
        fields = [
            line["Fields"] | {"Severity": line["Severity"]} for line in self.records("task.summary")
        ]
        return [each for each in fields if task_id in (None, each["task_id"])]

    def wait_for_summaries(
        self, task_id: str, count: int = 1, timeout: float = 60
    ) -> list[dict[str, Any]]:
        """Wait until a task has so many records."""
        wait_until(
            lambda: len(self.summaries(task_id)) >= count,
            timeout=timeout,
            what=f"{count} records of {task_id}:\n{self.output}",
        )
        return self.summaries(task_id)
