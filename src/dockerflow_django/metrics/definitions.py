"""The metrics of the app.

In one process these are ordinary metrics. In many (``PROMETHEUS_MULTIPROC_DIR``) every gauge names
how the processes' values become one: all are of a ``live`` mode, so that a dead process has no say.
One without labels makes its file when it is defined, so that is left to the process that serves.
"""

import threading
from functools import wraps
from typing import TYPE_CHECKING

from prometheus_client import Counter, Gauge, Histogram

if TYPE_CHECKING:
    from collections.abc import Callable

OK, WARNING, FAILING = 0, 1, 2

# Up to the second that a kubelet waits, and beyond it for checks that ask for more.
DURATION_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.8, 1, 2.5, 5, 10, 30)

CHECK_STATUS = Gauge(
    "dockerflow_check_status",
    "What the check answered last: 0 ok, 1 a warning that fails nothing, 2 failing.",
    ["check"],
    multiprocess_mode="livemostrecent",
)
CHECK_DURATION = Histogram(
    "dockerflow_check_duration_seconds",
    "How long each run of the check took, or had taken when it was given up.",
    ["check"],
    buckets=DURATION_BUCKETS,
)
CHECK_LAST_RUN = Gauge(
    "dockerflow_check_last_run_timestamp_seconds",
    "When the check answered last, in seconds since 1970.",
    ["check"],
    multiprocess_mode="livemostrecent",
)
HEARTBEATS = Counter(
    "dockerflow_heartbeats_total",
    "Runs of a heartbeat by probe and outcome.",
    ["probe", "status"],
)
BUILD_INFO = Gauge(
    "dockerflow_build_info",
    "Always 1; the labels say what is running.",
    ["version", "commit", "source", "build"],
    multiprocess_mode="livemostrecent",
)


def _made_once(make: "Callable[[], Gauge]") -> "Callable[[], Gauge]":
    made: list[Gauge] = []
    lock = threading.Lock()

    @wraps(make)
    def get() -> Gauge:
        with lock:
            if not made:
                made.append(make())
        return made[0]

    return get


@_made_once
def ready() -> Gauge:
    """Return the gauge of readiness; there is none before readiness has been asked."""
    return Gauge(
        "dockerflow_ready",
        "Whether readiness passed when it was last asked: 1 or 0, of many processes the worst.",
        multiprocess_mode="livemin",
    )


@_made_once
def requests_in_progress() -> Gauge:
    """Return the gauge of the requests that are being served."""
    return Gauge(
        "dockerflow_requests_in_progress",
        "Requests being served, all processes together.",
        multiprocess_mode="livesum",
    )
