"""A Celery worker's project: tasks that do nothing, bare or instrumented by ``BENCHMARK=ours``."""

import logging
import os

from celery import Celery, signals
from django.conf import settings

from benchmarks.projects import BARE, OURS, configure

URL = os.environ["BENCHMARK_BROKER"]
IS_OURS = os.environ.get("BENCHMARK") == "ours"

if not settings.configured:
    configure(OURS if IS_OURS else BARE)
    # What Celery itself logs about each task is the same for both, and not what is measured.
    logging.getLogger("celery").setLevel(logging.WARNING)

app = Celery("benchmark", broker=URL, fixups=[])
app.conf.update(
    task_default_queue=os.environ["BENCHMARK_QUEUE"],
    task_ignore_result=True,
    worker_prefetch_multiplier=50,
)
if IS_OURS:
    from dockerflow_django.celery import instrument

    instrument(app)
else:
    signals.setup_logging.connect(lambda **kwargs: None, weak=False)


@app.task
def wait_for(key: str) -> None:
    """Hold up the only child until the key has an item."""
    _redis().blpop([key], timeout=60)


@app.task
def nothing() -> None:
    """Do nothing."""


@app.task
def tell(key: str) -> None:
    """Give the key an item."""
    _redis().rpush(key, "done")


def _redis():
    import redis

    return redis.Redis.from_url(URL, socket_timeout=None)
