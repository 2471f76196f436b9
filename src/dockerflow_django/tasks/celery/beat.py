"""Beat answers the probes while it runs as a process of its own."""

import atexit
import logging
import sys
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health
from dockerflow_django.tasks.celery import stages
from dockerflow_django.tasks.celery.broker import BrokerWatch
from dockerflow_django.tasks.celery.liveness import TickWatch
from dockerflow_django.tasks.probes import ProbesError, WorkerProbes
from dockerflow_django.tasks.settings import check_settings
from dockerflow_django.webhooks.process import own_sender

logger = logging.getLogger("dockerflow_django.tasks")


def watch(service: Any) -> None:
    """Check the settings of a beat that starts, and answer its probes."""
    try:
        check_settings()
        if stages.are_probes_wanted():
            BeatHealth(service).start()
    except ProbesError as error:
        logger.critical("Beat does not start: %s", error)
        own_sender.fail_startup("beat", str(error))
        sys.exit(1)


class BeatHealth:
    """What the probes of beat say."""

    def __init__(self, service: Any) -> None:
        self._broker = BrokerWatch(service.app)
        self._ticks = TickWatch(service.scheduler, self._broker)
        self._probes = WorkerProbes("beat", liveness=self._ticks.messages, readiness=self.readiness)

    def start(self) -> None:
        """Answer from now on, until the process ends."""
        self._probes.start()
        self._broker.start()
        atexit.register(self.stop)

    def stop(self) -> None:
        """Answer no longer."""
        self._broker.stop()
        self._probes.stop()

    def readiness(self) -> list[CheckMessage]:
        """Ask whether a task that is due can be sent."""
        if not self._broker.is_asked:
            sentence = "Starting: the broker has not answered yet."
            return [checks.Info(sentence, id=health.INFO_STARTING)]
        if self._broker.answers_since is None:
            sentence = "The Celery broker cannot be reached."
            return [checks.Error(sentence, id=health.ERROR_CELERY_BROKER)]
        return []
