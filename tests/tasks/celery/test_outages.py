"""The broker goes away while tasks flow, and comes back: nothing is lost, nobody is restarted."""

import time
from contextlib import contextmanager

import pytest

from tests.harness.redis import Redis
from tests.harness.relay import Relay
from tests.harness.waiting import wait_until
from tests.services import amqp_url, require
from tests.tasks.celery.workers import Celeryd

TASKS = 30
NOT_READY_SECONDS = 10
# The longest pause between two tries of kombu, and the time that a try takes.
READY_SECONDS = 35
# With --soak also in the pool that has its tasks in the worker's own process.
POOLS = ["prefork", pytest.param("threads", marks=pytest.mark.soak)]
# Redis gives back what a dead connection held after three seconds, and not after an hour.
GIVE_BACK = {
    "visibility_timeout": 3,
    "unacked_restore_interval": 1,
    "unacked_restore_throttle": 1,
}


class DurableRedis(Redis):
    """A Redis that has after a restart what it had before."""

    def command(self):
        *command, _no = super().command()
        return [*command, "yes"]


@pytest.fixture(autouse=True)
def only_with_soak(request, soak):
    """Leave the second pool to the long run."""
    if request.node.get_closest_marker("soak") and not soak:
        pytest.skip("runs with --soak")


@pytest.fixture
def durable_redis():
    with DurableRedis() as service:
        yield service


@contextmanager
def stopped(service):
    service.stop()
    yield
    service.start()


@contextmanager
def frozen(service):
    service.freeze()
    yield
    service.thaw()


def succeeded(worker):
    return {each["task_id"] for each in worker.summaries() if each["state"] == "SUCCESS"}


def survive(celeryd, worker, outage):
    """Break off in the midst of tasks; return what liveness said, and which tasks were sent."""
    worker.wait_for("readiness", 200)
    sent = {celeryd.send("sleep", 0.1) for _ in range(TASKS)}
    wait_until(lambda: succeeded(worker), timeout=30)
    alive = set()

    def is_ready():
        alive.add(worker.status("liveness"))
        return worker.status("readiness") == 200

    with outage:
        wait_until(lambda: not is_ready(), timeout=NOT_READY_SECONDS, what="it is not ready")
    wait_until(is_ready, timeout=READY_SECONDS, what="it is ready again")
    wait_until(lambda: succeeded(worker) >= sent, timeout=60, what="every task has run")
    assert alive == {200}
    assert worker.stop().code == 0
    # What had been taken and not finished may run twice, once the broker gives it again.
    assert len(worker.summaries()) <= TASKS + 2


@pytest.mark.long
@pytest.mark.parametrize("pool", POOLS)
@pytest.mark.parametrize("outage", [stopped, frozen])
def test_redis(project, durable_redis, pool, outage):
    """Redis is stopped, so that clients are refused, or frozen, and comes back."""
    celeryd = Celeryd(project, durable_redis.url())
    celeryd.conf = {"broker_transport_options": {**celeryd.transport_options, **GIVE_BACK}}
    with celeryd.worker(f"--pool={pool}", "--concurrency=1") as worker:
        survive(celeryd, worker, outage(durable_redis))


@pytest.mark.long
def test_timers_that_are_lost_with_the_connection(project, durable_redis):
    """The loop of each connection is watched: Celery 5.6 clears all timers when it loses one."""
    celeryd = Celeryd(project, durable_redis.url())
    with celeryd.worker("--concurrency=1", DOCKERFLOW_WORKER_STALL_SECONDS="8") as worker:
        worker.wait_for("readiness", 200)
        celeryd.app.control.broadcast("clear_timers")
        worker.wait_for_line("timers cleared", timeout=30)
        durable_redis.kill_connections()
        # For longer than a loop may stand still.
        end, alive = time.monotonic() + 12, set()
        while time.monotonic() < end:
            alive.add(worker.status("liveness"))
            time.sleep(0.1)
        assert alive == {200}
        assert worker.wait_for_summaries(celeryd.send("add", 1, 1))


@contextmanager
def swallowed(relay):
    relay.swallow()
    yield
    relay.forward(reset=True)


@pytest.mark.long
@pytest.mark.parametrize("pool", POOLS)
def test_rabbitmq(project, pool):
    """What lies before RabbitMQ swallows everything, and later resets the connections."""
    require("amqp")
    with Relay(5672) as relay:
        url = amqp_url()
        celeryd = Celeryd(project, url)
        celeryd.workers_broker = url.replace(":5672", f":{relay.port}")
        celeryd.conf = {"task_acks_late": True}
        with celeryd.worker(f"--pool={pool}", "--concurrency=1") as worker:
            survive(celeryd, worker, swallowed(relay))
        celeryd.close()


@pytest.mark.long
def test_the_last_retry(project, durable_redis):
    """After its last try to connect a worker ends, with a status that restarts the container."""
    celeryd = Celeryd(project, durable_redis.url())
    celeryd.conf = {"broker_connection_max_retries": 1}
    with celeryd.worker("--concurrency=1") as worker, stopped(durable_redis):
        ended = worker.wait(timeout=60)
    assert ended.code == 1


@pytest.mark.long
def test_no_broker_at_start(project, durable_redis):
    """A worker that starts without its broker is alive, and ready when the broker has come."""
    celeryd = Celeryd(project, durable_redis.url())
    durable_redis.stop()
    with celeryd.program("worker", "--concurrency=1") as worker:
        worker.wait_for_line("broker does not answer", timeout=60)
        assert (worker.status("liveness"), worker.status("readiness")) == (200, 503)
        durable_redis.start()
        worker.wait_for("readiness", 200, timeout=READY_SECONDS)
        assert worker.wait_for_summaries(celeryd.send("add", 1, 1))
