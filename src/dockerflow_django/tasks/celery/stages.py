"""What a process is: a worker's main process, a child of its pool, beat, or none of these."""

import os
from functools import cache
from typing import Any

_main_pid: int | None = None
_is_pool_child = False


def enter_main_process(**kwargs: Any) -> None:
    """Note that this is the main process of a worker."""
    global _main_pid  # noqa: PLW0603
    _main_pid = os.getpid()


def enter_pool_process(**kwargs: Any) -> None:
    """Note whether this is a child of the pool; a solo worker sends the same signal."""
    global _is_pool_child  # noqa: PLW0603
    _is_pool_child = os.getpid() != _main_pid


def enter_beat(sender: Any, **kwargs: Any) -> None:
    """Watch a beat that starts; one inside a worker (``-B``) is not judged."""
    from billiard import current_process

    # A worker forks or spawns it, and only beat as a process of its own is a main process.
    if current_process().name == "MainProcess":
        from dockerflow_django.tasks.celery.beat import watch

        watch(sender)


def are_probes_wanted() -> bool:
    """Tell whether anybody can learn what the probes say; if nobody can, no thread is started."""
    from dockerflow_django.conf import conf

    ways = conf.DOCKERFLOW_PROBE_PORT, conf.DOCKERFLOW_PROBE_FILE, conf.DOCKERFLOW_WEBHOOK_URL
    return any(way is not None for way in ways)


def is_pool_child() -> bool:
    """Tell whether this process is a child of a worker's pool."""
    return _is_pool_child


@cache
def count_queries() -> None:
    """Count the queries of tasks from now on."""
    from dockerflow_django.summary import queries

    queries.count_from_now_on()
