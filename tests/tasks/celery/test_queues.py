"""A record names a queue only if exchange and routing key lead to exactly that one."""

import pytest
from celery import Celery
from kombu import Exchange, Queue

from dockerflow_django.tasks.celery.queues import queue_of

DIRECT, TOPIC = Exchange("direct", type="direct"), Exchange("topic", type="topic")


@pytest.fixture(scope="module")
def app():
    app = Celery(broker="memory://", set_as_current=False, fixups=[])
    app.conf.task_queues = [
        Queue("mail", DIRECT, routing_key="letters"),
        Queue("one", DIRECT, routing_key="both"),
        Queue("other", DIRECT, routing_key="both"),
        Queue("orders", TOPIC, routing_key="orders.#"),
        Queue("plain"),
    ]
    return app


@pytest.mark.parametrize(
    ("exchange", "routing_key", "queue"),
    [
        ("direct", "letters", "mail"),
        ("direct", "both", None),
        ("direct", "unknown", None),
        ("topic", "orders.new", None),
        ("topic", "orders.#", None),
        ("elsewhere", "letters", None),
        ("", "plain", "plain"),
        (None, "mail", "mail"),
        ("", "undeclared", None),
        ("", None, None),
    ],
)
def test_queue(app, exchange, routing_key, queue):
    """A direct exchange leads to one queue; a topic exchange or two queues say nothing."""
    assert queue_of(app, {"exchange": exchange, "routing_key": routing_key}) == queue


@pytest.mark.parametrize("delivery_info", [None, {}])
def test_nothing_known(app, delivery_info):
    """Without delivery there is no queue."""
    assert queue_of(app, delivery_info) is None
