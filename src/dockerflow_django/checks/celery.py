"""Ask whether Celery's broker lets us in, and whether workers take from every queue."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from django.core.checks import CheckMessage, Error
from django.utils.module_loading import import_string

from dockerflow_django import health
from dockerflow_django.checks.broker import (
    BrokerMisconfiguredError,
    BrokerUnreachableError,
    connected,
)
from dockerflow_django.checks.messages import failure


class _AppUnknownError(Exception):
    """Which Celery app is meant cannot be told."""


class _EnoughError(Exception):
    """The replies still to come tell nothing new, or come too late."""


def check_celery_broker(
    app_configs: Any,
    *,
    app: Any = None,
    timeout_seconds: float = 0.7,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Connect to the Celery broker as the app does to send a task. Needs the extra ``celery``.

    Each host of the broker's URL is tried once.

    :param app: a Celery app or its dotted path; `celery.current_app` if not given. That is the
        project's app if the project's package imports it, as Celery's documentation recommends.
    :param timeout_seconds: the longest wait to connect and for each answer.
    """
    return _with_broker(app, timeout_seconds, lambda found, connection: [])


def check_celery_workers(
    app_configs: Any,
    *,
    app: Any = None,
    queues: Iterable[str] | None = None,
    timeout_seconds: float = 0.5,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Ask the workers which queues they consume, and look for queues that none does.

    Needs the extra ``celery``. The check ends as soon as every queue has been named. If a worker is
    missing it takes the whole timeout; with a Redis broker and Kombu before 5.6, at least a second.
    A worker does not answer if ``worker_enable_remote_control`` is off, or if it has the ``solo``
    pool and is busy.

    :param app: a Celery app or its dotted path, as in `check_celery_broker`.
    :param queues: names of queues; those that the app declares if not given.
    :param timeout_seconds: the longest wait for the workers' answers.
    """

    def ask(found: Any, connection: Any) -> list[CheckMessage]:
        wanted = set(found.amqp.queues if queues is None else queues)
        taken = _queues_taken(found, connection, wanted, timeout_seconds)
        if taken is None:
            return [failure(Error, "No Celery worker answers.", health.ERROR_CELERY_NO_WORKER)]
        return [_without_worker(queue) for queue in sorted(wanted - taken)]

    return _with_broker(app, timeout_seconds, ask)


def _with_broker(
    app: Any, timeout_seconds: float, ask: Callable[[Any, Any], list[CheckMessage]]
) -> list[CheckMessage]:
    try:
        found = _resolve(app)
    except ModuleNotFoundError as error:
        if error.name != "celery":
            return [_unknown(error)]
        sentence = "Celery is not installed: run `pip install dockerflow-django[celery]`."
        return [failure(Error, sentence, health.ERROR_MISSING_CLIENT, error)]
    except (ImportError, _AppUnknownError) as error:
        return [_unknown(error)]
    try:
        with connected(
            lambda: found.connection_for_write(connect_timeout=timeout_seconds), timeout_seconds
        ) as connection:
            return ask(found, connection)
    except BrokerUnreachableError as error:
        sentence = "The Celery broker cannot be reached."
        return [failure(Error, sentence, health.ERROR_CELERY_BROKER, error.__cause__)]
    except BrokerMisconfiguredError as error:
        sentence = "The URL of the Celery broker is not one that Kombu can use."
        return [failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, str(error))]


def _resolve(app: Any) -> Any:
    from celery import Celery

    if app is None:
        return _current_app()
    found = import_string(app) if isinstance(app, str) else app
    if not isinstance(found, Celery):
        msg = f"{app!r} is not a Celery app"
        raise _AppUnknownError(msg)
    return found


def _current_app() -> Any:
    """Return what `celery.current_app` stands for, but let Celery make nothing up.

    If the project has not imported its app, that would be one without configuration, and the
    default for every thread from then on.
    """
    from celery import _state

    current = _state._tls.current_app or _state.default_app  # noqa: SLF001
    if current is None:
        msg = "this process has imported no Celery app"
        raise _AppUnknownError(msg)
    return current


def _queues_taken(
    app: Any, connection: Any, wanted: set[str], timeout_seconds: float
) -> set[str] | None:
    """Return the queues that workers take from, nothing at all if no worker answered."""
    from kombu.pidbox import Mailbox

    deadline = time.monotonic() + timeout_seconds
    replies: list[dict[str, Any]] = []

    def note(reply: dict[str, Any]) -> None:
        replies.append(reply)
        if wanted <= _names(replies) or time.monotonic() > deadline:
            raise _EnoughError

    # Not `app.control`: that publishes on a pooled connection, and retries there for ever.
    mailbox: Any = Mailbox(  # type: ignore[no-untyped-call]
        app.conf.control_exchange,
        type="fanout",
        connection=connection,
        accept=app.conf.accept_content,
        serializer=app.conf.task_serializer,
    )
    with suppress(_EnoughError):
        mailbox.multi_call("active_queues", timeout=timeout_seconds, callback=note)
    return _names(replies) if replies else None


def _names(replies: list[dict[str, Any]]) -> set[str]:
    """Collect names from ``[{worker: [{"name": queue}, …]}, …]``.

    A worker that could not tell has answered a mapping in place of the list.
    """
    lists = (queues for reply in replies for queues in reply.values() if isinstance(queues, list))
    return {queue["name"] for queues in lists for queue in queues}


def _without_worker(queue: str) -> CheckMessage:
    sentence = f'No Celery worker takes from the queue "{queue}".'
    return failure(Error, sentence, health.ERROR_CELERY_QUEUE_WITHOUT_WORKER)


def _unknown(error: Exception) -> CheckMessage:
    sentence = 'Which Celery app to ask is unclear: give the check `app="project.celery.app"`.'
    return failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, error)
