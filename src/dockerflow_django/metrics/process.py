"""What this process is doing now: its requests in progress, and whether it is ready.

Nothing is written while a request is served. In one process the values are looked at when a scrape
asks; in many, of which any may be asked, each writes its own once a second.
"""

import time

from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.evaluation import last_report
from dockerflow_django.lifecycle import process
from dockerflow_django.metrics import definitions, workers

INTERVAL_SECONDS = 1.0


def start() -> None:
    """Look from now on."""
    if workers.folder() is None:
        definitions.requests_in_progress().set_function(lambda: process.requests_in_progress)
        return
    look()
    threads.start(_look_on, name="dockerflow-metrics")


def look() -> None:
    """Write what holds at this moment."""
    if workers.folder() is not None:
        definitions.requests_in_progress().set(process.requests_in_progress)
    if (report := last_report("readiness")) is not None:
        definitions.ready().set(report.passed and not process.notices("readiness"))


def _look_on() -> None:
    while True:
        time.sleep(INTERVAL_SECONDS)
        workers.warn_if_full()
        look()
