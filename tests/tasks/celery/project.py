"""A Celery project: one task for each way in which a task may end.

``CELERY_BROKER`` names the broker, ``CELERY_NAME`` what is this test's own on it, ``CELERY_CONF``
holds further settings of Celery as JSON.
"""

import json
import logging
import os
import signal
import sys
import time
from pathlib import Path

from celery import Celery, Task
from celery.beat import Scheduler
from celery.exceptions import Ignore, Reject
from celery.worker.control import control_command
from kombu import Exchange, Queue

from dockerflow_django.celery import instrument

logger = logging.getLogger("project.tasks")


def make_app(broker: str, name: str, conf: dict | None = None) -> Celery:
    app = Celery(name, broker=broker)
    app.conf.update(
        broker_connection_retry_on_startup=True,
        broker_heartbeat=2,
        control_exchange=name,
        event_exchange=f"{name}-events",
        task_create_missing_queues=True,
        task_default_exchange=name,
        task_default_queue=name,
        task_default_routing_key=name,
        task_queues=[
            Queue(name, Exchange(name), routing_key=name),
            Queue(
                f"{name}-topic",
                Exchange(f"{name}-topics", type="topic"),
                routing_key="orders.#",
            ),
        ],
        worker_enable_remote_control=True,
        worker_prefetch_multiplier=1,
    )
    if broker.startswith("redis"):
        app.conf.broker_transport_options = {"global_keyprefix": f"{name}-"}
    app.conf.update(conf or {})
    instrument(app)
    return app


app = make_app(
    os.environ.get("CELERY_BROKER", "memory://"),
    os.environ.get("CELERY_NAME", "nobody"),
    json.loads(os.environ.get("CELERY_CONF", "{}")),
)


@app.task
def add(x, y):
    return x + y


@app.task
def tell(text="told"):
    logger.info(text)
    print(f"printed: {text}", flush=True)


@app.task
def query(times):
    from django.db import connection

    for _ in range(times):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")


@app.task
def sleep(seconds):
    time.sleep(seconds)


@app.task(soft_time_limit=0.5)
def too_slow():
    time.sleep(30)


@app.task
def patient(path):
    """Run until the test has made that file."""
    logger.info("patient began")
    end = time.monotonic() + 120
    while not Path(path).exists() and time.monotonic() < end:
        time.sleep(0.02)


@app.task
def fail(text="no luck"):
    raise ValueError(text)


@app.task
def fail_badly():
    class UnsendableError(BaseException):
        """Cannot be pickled, as it has no place in a module."""

    raise UnsendableError


class Unforgiving(Task):
    """Fails again when it is told of its failure."""

    def on_failure(self, *args):
        raise RuntimeError("again")


@app.task(base=Unforgiving)
def fail_twice():
    raise ValueError("the first")


@app.task(bind=True, max_retries=1)
def retry_once(self):
    if not self.request.retries:
        raise self.retry(countdown=0)


@app.task(bind=True, max_retries=0)
def retry_never(self):
    raise self.retry(exc=ValueError("again"), countdown=0)


@app.task(acks_late=True)
def reject():
    raise Reject("no", requeue=False)


@app.task(bind=True, acks_late=True)
def reject_and_requeue(self):
    """Be rejected the first time, and succeed when it comes again."""
    if not self.request.delivery_info["redelivered"]:
        raise Reject("later", requeue=True)


@app.task
def ignore():
    raise Ignore


@app.task(time_limit=0.5)
def beyond_hard_limit():
    time.sleep(60)


@app.task(time_limit=0.5, acks_late=True)
def beyond_hard_limit_late():
    time.sleep(60)


@app.task
def die(number=int(signal.SIGKILL)):
    os.kill(os.getpid(), number)
    time.sleep(30)


@app.task(acks_late=True)
def die_late():
    os.kill(os.getpid(), signal.SIGKILL)
    time.sleep(30)


@app.task(acks_late=True, reject_on_worker_lost=True)
def die_once(path):
    """Be killed the first time, and succeed when it comes again."""
    if not Path(path).exists():
        Path(path).touch()
        os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(30)


@app.task
def leave(code=0):
    sys.exit(code)


@control_command()
def hold_up(state, seconds=60):
    """Hold up the loop of the worker's main process."""
    time.sleep(float(seconds))


@control_command()
def clear_timers(state):
    """Clear all timers of the worker's loop, as Celery 5.6 does when it loses a connection."""
    state.consumer.hub.timer.clear()
    logger.info("timers cleared")


class StuckScheduler(Scheduler):
    """Does not come back from its schedule as long as a file is there."""

    def tick(self, *args, **kwargs):
        end = time.monotonic() + 120
        while Path(os.environ["STUCK"]).exists() and time.monotonic() < end:
            time.sleep(0.02)
        return 0.1


@app.task
def count_own():
    """Count with a metric of the project's own."""
    from prometheus_client import REGISTRY, Counter

    name = "project_own"
    found = REGISTRY._names_to_collectors.get(name)
    (found or Counter(name, "A metric of the project's own.")).inc()
