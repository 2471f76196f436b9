"""A consumer in threads of the test's own process."""

import logging
import threading
from collections.abc import Callable
from typing import Any, Self

from dockerflow_django.tasks.amqp.broker import Broker
from dockerflow_django.tasks.amqp.handling import HandlerThread
from dockerflow_django.tasks.amqp.inbox import Inbox
from dockerflow_django.tasks.amqp.options import Options
from dockerflow_django.tasks.amqp.record import SUMMARY_LOGGER
from tests import services
from tests.harness.closing import Closing
from tests.harness.waiting import wait_until


class Records(logging.Handler):
    """Keeps the records of a logger."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Any] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.found.append(record)


class Consumer(Closing):
    """Runs as ``consume`` does, but for the signals and the probes' thread."""

    def __init__(
        self, handler: Callable[[Any, Any], Any], queue: str, url: str = "", **options: Any
    ) -> None:
        inbox = Inbox()
        self.broker = Broker(
            url or services.amqp_url(), "shop.handle", Options(queue, **options), inbox
        )
        self.error: BaseException | None = None
        self._handler = HandlerThread(handler, inbox, self.broker.post, self.broker.wake)
        self._thread = threading.Thread(target=self._run)
        self._logger = logging.getLogger(SUMMARY_LOGGER)
        self._records = Records()

    @property
    def records(self) -> list[Any]:
        return list(self._records.found)

    @property
    def states(self) -> list[str]:
        return [record.state for record in self.records]

    def is_ready(self) -> bool:
        return not self.broker.status.readiness()

    def is_alive(self) -> bool:
        return not self.broker.status.liveness()

    def wait_for(self, *states: str, timeout: float = 15.0) -> None:
        """Wait until exactly these states have been recorded, in this order."""
        try:
            wait_until(lambda: self.states == list(states), timeout=timeout)
        except AssertionError as error:
            raise AssertionError(f"recorded: {self.states}, expected: {states}") from error

    def stop(self, *, hurry: bool = False) -> None:
        self.broker.stop(hurry=hurry)

    def join(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self.broker.run()
        except BaseException as error:
            self.error = error

    def __enter__(self) -> Self:
        self._level = self._logger.level
        self._logger.setLevel(logging.INFO)
        self._logger.addHandler(self._records)
        self._handler.start()
        self._thread.start()
        return self

    def close(self) -> None:
        self.stop(hurry=True)
        self.join()
        self._logger.removeHandler(self._records)
        self._logger.setLevel(self._level)
