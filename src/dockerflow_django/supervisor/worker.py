"""What a worker answers its supervisor, in threads of its own, however busy the others are."""

import logging
import queue
import sys
from collections.abc import Callable

from django.conf import settings

from dockerflow_django.endpoints.answers import Answer, status_of_heartbeat
from dockerflow_django.health import PROBES
from dockerflow_django.heartbeat import threads
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.lifecycle import process
from dockerflow_django.logging.scrubbing import scrub
from dockerflow_django.supervisor.channel import (
    METRICS,
    Message,
    Question,
    WorkerChannel,
)
from dockerflow_django.version import version_name

logger = logging.getLogger("dockerflow_django")

Answered = tuple[Message, bytes]


class UrlconfError(Exception):
    """The project's URLconf cannot be imported; the text says why."""


def import_urlconf() -> None:
    """Import the URLconf with all that it includes. Raises `UrlconfError`."""
    from django.urls import URLResolver, get_resolver

    def walk(resolver: URLResolver) -> None:
        for pattern in resolver.url_patterns:
            if isinstance(pattern, URLResolver):
                walk(pattern)

    try:
        walk(get_resolver())
    except Exception as error:
        name = settings.ROOT_URLCONF
        text = scrub(f"{type(error).__name__}: {error}")
        raise UrlconfError(f"the URLconf {name} cannot be imported: {text}") from error


def serve_questions(channel: WorkerChannel, *, worker_threads: int | None = None) -> None:
    """Say that this worker serves, and answer the supervisor from now on.

    Call it when the application is loaded. `worker_threads` is how many requests the server runs
    at once, if that is known.
    """
    process.worker_threads = worker_threads
    process.has_supervisor = True
    on_drain = channel.on_drain

    def drain() -> None:
        process.drain()
        on_drain()

    channel.on_drain = drain
    if channel.is_draining:
        drain()
    dispatch = _hub if _is_patched_by_gevent() else _Threads
    channel.serve_questions(dispatch(lambda question: _send_answer(channel, question)))


def answer_question(question: Question) -> Answered:
    """Return what the worker answers: a message, and a body."""
    if question.name in PROBES:
        return _evaluate(question.name)
    if question.name == METRICS:
        return _expose(question.arguments)
    return {"version": version_name()}, b""


def _send_answer(channel: WorkerChannel, question: Question) -> None:
    try:
        message, body = answer_question(question)
    except Exception:
        logger.exception("The question %s of the supervisor could not be answered", question.name)
        message, body = {"status": 500}, b""
    channel.send_answer(question, message, body)


def _evaluate(probe: str) -> Answered:
    report = evaluate(probe)
    message = {"outcome": report.outcome, "level": report.level}
    return message, Answer(status_of_heartbeat(report), report.payload(details=True)).body


def _expose(arguments: Message) -> Answered:
    try:
        from dockerflow_django.metrics.exposition import expose
    except ImportError:
        return {"status": 404}, b'{"error": "There are no metrics."}'
    found = expose(arguments["accept"], arguments["accept_encoding"])
    return {"status": 200, "headers": found.headers}, found.body


class _Threads:
    """One thread for each probe and one for the rest: a slow answer delays no other."""

    def __init__(self, answer: Callable[[Question], None]) -> None:
        self._answer = answer
        self._queues = {name: self._start(name) for name in (*PROBES, "supervisor")}

    def __call__(self, question: Question) -> None:
        self._queues.get(question.name, self._queues["supervisor"]).put(question)

    def _start(self, name: str) -> "queue.SimpleQueue[Question]":
        questions: queue.SimpleQueue[Question] = queue.SimpleQueue()

        def work() -> None:
            while True:
                self._answer(questions.get())

        threads.start(work, name=f"dockerflow-{name}")
        return questions


def _is_patched_by_gevent() -> bool:
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and monkey.is_module_patched("threading")


def _hub(answer: Callable[[Question], None]) -> Callable[[Question], None]:
    from dockerflow_django.supervisor.hub import Hub

    return Hub(answer)
