"""What Prometheus scrapes: the app's metrics, fed by the heartbeat's signals.

``definitions``   the metrics, in prometheus_client's default registry
``feed``          what writes to them, from the first request that this process serves
``process``       what this process is doing now: requests in progress, readiness
``workers``       many processes: a folder of values, and what is left when one of them dies
``exposition``    all of it as text · ``views`` · ``urls``   the same at ``/__metrics__``
``middleware``    django-prometheus's, with labels that a client cannot multiply
"""

import logging
from typing import Any

logger = logging.getLogger("dockerflow_django")

_UID = "dockerflow_django.metrics.start"


def start_with_first_request() -> None:
    """Feed the metrics from the first request that this process serves.

    Until then nothing is imported, and a management command never feeds any: each would leave a
    file in ``PROMETHEUS_MULTIPROC_DIR`` that every later scrape reads.
    """
    from django.core.signals import request_started

    request_started.connect(_start, dispatch_uid=_UID)


def _start(**kwargs: Any) -> None:
    from django.core.signals import request_started

    from dockerflow_django.metrics import feed

    request_started.disconnect(dispatch_uid=_UID)
    try:
        feed.start()
    except OSError:
        # The folder of the values: a request is worth more than a number.
        logger.exception("There are no metrics of this process")
