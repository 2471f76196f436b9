"""What a worker answers its parent, in threads of its own, however busy its other threads are."""

import logging
import os
import signal
import socket
from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.core import checks

from dockerflow_django import signals
from dockerflow_django.endpoints.answers import Answer, Endpoint, answer
from dockerflow_django.endpoints.details import are_allowed_without_request
from dockerflow_django.health import PROBES
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.report import Report, keyed
from dockerflow_django.lifecycle import process
from dockerflow_django.supervisor.channel import DRAIN, METRICS, Post, Reply, reply

QUESTIONS = {
    "heartbeat": Endpoint("heartbeat"),
    "version": Endpoint("version"),
    **{probe: Endpoint("probe", probe) for probe in PROBES},
}

logger = logging.getLogger("dockerflow_django")


def _are_apps_ready() -> bool:
    return apps.ready


def attend(
    post: Post,
    *,
    worker_threads: int | None = None,
    is_loaded: Callable[[], bool] = _are_apps_ready,
    on_drain: Callable[[], None] = lambda: None,
) -> None:
    """Answer the parent from now on, pass the news of the probes on, and end when the parent ends.

    `worker_threads` is how many requests the server runs at once, where that is known; `is_loaded`
    tells whether the application is; `on_drain` is called when the parent tells that draining has
    begun.
    """
    post.take()
    process.worker_threads = worker_threads

    def tell(report: Report, new: str, probe: str, **kwargs: Any) -> None:
        is_error = report.level >= checks.ERROR
        messages = messages_of(report)
        post.tell({"probe": probe, "new": new, "messages": messages, "is_error": is_error})

    signals.heartbeat_changed.connect(tell, weak=False, dispatch_uid="dockerflow_django.crew")
    threads.start(lambda: _attend(post, is_loaded, on_drain), name="dockerflow-attend")


def messages_of(report: Report) -> dict[str, dict[str, str]]:
    """Return the texts of the checks that have something to say, by check and by id."""
    return {
        name: keyed(result.spoken) for name, result in report.results.items() if result.level > 0
    }


def answer_question(question: str) -> Reply:
    """Answer as the endpoint of that name would."""
    if question == METRICS:
        return _metrics()
    found = answer(QUESTIONS[question], "GET", details=are_allowed_without_request(None))
    return Reply(found.status, found.body)


def _attend(post: Post, is_loaded: Callable[[], bool], on_drain: Callable[[], None]) -> None:
    for question, to in post.questions():
        if question == DRAIN:
            process.drain()
            on_drain()
            reply(to, Reply(200, b"{}"))
        elif not is_loaded():
            reply(to, _starting(question))
        else:
            _in_thread(question, to)
    # The parent is gone, and nobody else would end this process.
    os.kill(os.getpid(), signal.SIGTERM)


def _in_thread(question: str, to: socket.socket) -> None:
    def work() -> None:
        try:
            found = answer_question(question)
        except Exception:
            logger.exception("The question %s could not be answered", question)
            found = Reply(500, b'{"status": "critical"}')
        reply(to, found)

    try:
        threads.start(work, name=f"dockerflow-{question}")
    except RuntimeError:
        to.close()  # no thread to be had: the parent sees a worker that does not answer


def _starting(question: str) -> Reply:
    if question == "liveness":
        return Reply(200, b'{"status": "ok"}', is_early=True)
    return Reply(503, b'{"status": "info"}', is_early=True)


def _metrics() -> Reply:
    try:
        from dockerflow_django.metrics.exposition import expose
    except ImportError:
        return Reply(404, Answer(404, {"error": "There are no metrics."}).body)
    found = expose()
    return Reply(200, found.body, found.headers["Content-Type"])
