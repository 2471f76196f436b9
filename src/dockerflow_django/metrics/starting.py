"""When a process begins to feed the metrics: once it serves, and somebody can read them."""

import logging
import sys
from contextlib import suppress
from typing import Any

from django.core.signals import request_started
from django.urls import get_resolver

from dockerflow_django.heartbeat.listeners import evaluated
from dockerflow_django.metrics import workers

logger = logging.getLogger("dockerflow_django")

_UID = "dockerflow_django.metrics.start"


def start_with_first_request() -> None:
    """Feed the metrics from the first request that this process serves, if they can be read then.

    Else from the first heartbeat, unless a scrape comes before it. A management command never feeds
    any: each would leave a file in ``PROMETHEUS_MULTIPROC_DIR`` that every later scrape reads.
    """
    request_started.connect(_on_first_request, dispatch_uid=_UID)


def _on_first_request(**kwargs: Any) -> None:
    """Start, or wait for a heartbeat if nobody here has what reads metrics."""
    request_started.disconnect(dispatch_uid=_UID)
    if workers.folder() is not None or _can_be_read():
        start_feed()
    else:
        evaluated.connect(_on_first_run, dispatch_uid=_UID)


def _on_first_run(**kwargs: Any) -> None:
    evaluated.disconnect(dispatch_uid=_UID)
    if start_feed():
        from dockerflow_django.metrics import feed

        feed.record(**kwargs)


def _can_be_read() -> bool:
    """Tell whether apps, middlewares or the URLconf have imported prometheus_client."""
    with suppress(Exception):  # Django says so when it resolves the path
        _ = get_resolver().url_patterns
    return "prometheus_client" in sys.modules


def start_feed() -> bool:
    """Feed the metrics from now on if that can be, and tell whether it began now."""
    from dockerflow_django.metrics import feed

    try:
        return feed.start()
    except OSError:
        # The folder of the values: a request is worth more than a number.
        logger.exception("There are no metrics of this process")
        return False
