"""A Celery project: `make_app` for the test, ``app`` for the worker that it starts."""

import os

from celery import Celery
from kombu import Queue

NAME_VARIABLE, BROKER_VARIABLE = "TEST_CELERY_NAME", "TEST_CELERY_BROKER"
WORKED_QUEUES = ("mail", "reports")


def make_app(name, broker, queues=WORKED_QUEUES):
    """Make an app that shares nothing on the broker with an app of another name."""
    app = Celery(name, broker=broker, set_as_current=False, fixups=[])
    app.conf.update(
        broker_connection_retry_on_startup=False,
        control_exchange=name,
        task_default_exchange=name,
        task_default_queue=f"{name}-{queues[0]}",
        task_queues=[Queue(f"{name}-{queue}", auto_delete=True) for queue in queues],
        worker_enable_remote_control=True,
    )
    if broker.startswith("redis"):
        app.conf.broker_transport_options = {"global_keyprefix": name}
    return app


app = make_app(
    os.environ.get(NAME_VARIABLE, "nobody"), os.environ.get(BROKER_VARIABLE, "memory://")
)
