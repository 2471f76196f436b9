"""What writes to the metrics: the heartbeat's signals, once this process serves."""

import threading
from typing import Any

from django.core import checks

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.heartbeat.listeners import evaluated
from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.heartbeat.updates import Update, UpdateTracker
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.metrics import definitions, process, workers
from dockerflow_django.version import version_fields

__all__ = ["start"]

_UID = "dockerflow_django.metrics"
VERSION_KEYS = ("version", "commit", "source", "build")


def start() -> bool:
    """Write to the metrics from now on; return whether nothing did before.

    A process that answers requests by Django begins by itself: with the first one if it has
    ``PROMETHEUS_MULTIPROC_DIR`` or has imported prometheus_client, else with its first heartbeat or
    scrape. Call this in any other: a worker, or a consumer.
    """
    global _has_started  # noqa: PLW0603
    with _lock:
        if _has_started:
            return False
        _has_started = True
    evaluated.connect(record, dispatch_uid=_UID)
    workers.join()
    process.start()
    definitions.BUILD_INFO.labels(**_version_labels()).set(1)
    return True


def record(report: Report, **kwargs: Any) -> None:
    """Write what one run of a heartbeat found."""
    definitions.HEARTBEATS.labels(report.probe, report.outcome).inc()
    if report.probe == "readiness":
        process.look()
    for update in _tracker.updates(report):
        if update.is_new:
            _record_update(update)


def _record_update(update: Update) -> None:
    name, result = update.name, update.result
    if update.is_new_run:
        definitions.CHECK_DURATION.labels(name).observe(result.duration_seconds)
    definitions.CHECK_STATUS.labels(name).set(_status(result))
    if result.is_finished and not result.once:
        definitions.CHECK_LAST_RUN.labels(name).set(result.timestamp)


def _status(result: Result) -> int:
    # Of the heartbeat or of a probe: one number must do for both.
    fail_level = min(conf.DOCKERFLOW_HEARTBEAT_FAIL_LEVEL, checks.ERROR)
    if result.level >= (result.fail_level or fail_level):
        return definitions.FAILING
    return definitions.WARNING if result.level >= checks.WARNING else definitions.OK


def _version_labels() -> dict[str, str]:
    version = version_fields()
    return {key: scrub(str(version.get(key) or "")) for key in VERSION_KEYS}


_lock = threading.Lock()
_has_started = False
_tracker = UpdateTracker()
keeps("_tracker")(_tracker.reset)
