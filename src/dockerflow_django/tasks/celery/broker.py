"""Whether the broker answers: asked every two seconds, on a connection of our own.

The worker's own connection says that it is connected long after the broker has frozen; and
``inspect ping`` needs a free worker and leaks memory (https://github.com/apache/airflow/issues/21026).
"""

import logging
import threading
import time
from typing import Any

from dockerflow_django.checks.broker import (
    BrokerMisconfiguredError,
    BrokerUnreachableError,
    connected,
)
from dockerflow_django.logging.scrubbing import scrub

INTERVAL_SECONDS = 2.0
TIMEOUT_SECONDS = 2.0
# An ask that hangs, in the resolver of names say, is no answer either.
PATIENCE_SECONDS = INTERVAL_SECONDS + 2 * TIMEOUT_SECONDS

logger = logging.getLogger("dockerflow_django.tasks")


class BrokerWatch:
    """Asks the broker of an app in a thread, and knows since when it answers."""

    def __init__(self, app: Any) -> None:
        self._app = app
        self._stop = threading.Event()
        self._started = time.monotonic()
        self._answers_since: float | None = None
        self._answered_at = 0.0
        self._is_failing = False

    def start(self) -> None:
        """Ask from now on."""
        threading.Thread(target=self._work, name="dockerflow-broker", daemon=True).start()

    def stop(self) -> None:
        """Ask no longer."""
        self._stop.set()

    @property
    def is_asked(self) -> bool:
        """Whether there is a first answer, or has been time enough for one."""
        is_known = self._answers_since is not None or self._is_failing
        return is_known or time.monotonic() - self._started > PATIENCE_SECONDS

    @property
    def answers_since(self) -> float | None:
        """Since when, on the monotonic clock, the broker answers; None if it does not."""
        if time.monotonic() - self._answered_at > PATIENCE_SECONDS:
            return None
        return self._answers_since

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self._ask_until_it_fails()
            except (BrokerMisconfiguredError, BrokerUnreachableError) as error:
                self._fail(error)
            except Exception as error:  # noqa: BLE001 - whatever a transport raises is an answer
                self._fail(error)
            self._stop.wait(INTERVAL_SECONDS)

    def _ask_until_it_fails(self) -> None:
        with connected(self._connection, TIMEOUT_SECONDS) as connection:
            while not self._stop.is_set():
                _ask(connection)
                self._succeed()
                self._stop.wait(INTERVAL_SECONDS)

    def _connection(self) -> Any:
        # Without heartbeats, for which nobody would be there between two asks.
        return self._app.connection_for_read(connect_timeout=TIMEOUT_SECONDS, heartbeat=0)

    def _succeed(self) -> None:
        self._answered_at = time.monotonic()
        if self._answers_since is None:
            self._answers_since = self._answered_at
        if self._is_failing:
            self._is_failing = False
            logger.info("The Celery broker answers again.")

    def _fail(self, error: BaseException) -> None:
        self._answers_since = None
        if not self._is_failing:
            self._is_failing = True
            logger.warning("The Celery broker does not answer: %s", _told(error))


def _told(error: BaseException) -> str:
    if isinstance(error, BrokerMisconfiguredError):
        return f"its URL is not one that Kombu can use ({error})"
    cause = error.__cause__ or error
    # A client's own error may hold the URL that it was given.
    return f"{type(cause).__name__}: {scrub(str(cause))}"


def _ask(connection: Any) -> None:
    """Make the broker answer: Redis a ping, on the connection that is there, and AMQP a channel."""
    client: Any = getattr(connection.default_channel, "client", None)
    if hasattr(client, "ping"):
        client.ping()
    else:
        connection.channel().close()
