"""The life of ``consume``: from the first signal to the last acknowledgement."""

import logging

from dockerflow_django.lifecycle import process
from dockerflow_django.logging.delivery import log
from dockerflow_django.logging.fallback import log_somewhere
from dockerflow_django.summary.queries import count_from_now_on
from dockerflow_django.tasks.amqp.address import broker_url, make_connection
from dockerflow_django.tasks.amqp.broker import Broker
from dockerflow_django.tasks.amqp.errors import RefusedError
from dockerflow_django.tasks.amqp.handling import HandlerThread
from dockerflow_django.tasks.amqp.inbox import Inbox
from dockerflow_django.tasks.amqp.options import Options, WrongOptionsError, import_handler
from dockerflow_django.tasks.amqp.record import SUMMARY_LOGGER
from dockerflow_django.tasks.probes import ProbesError, WorkerProbes
from dockerflow_django.tasks.stopping import StopSignals
from dockerflow_django.webhooks.process import own_sender

logger = logging.getLogger("dockerflow_django.tasks")


def run(path: str, options: Options, url: str | None, signals: StopSignals | None) -> None:
    """Hand the queue's messages to the function at `path` until a signal comes.

    Raises `WrongOptionsError` if the options cannot be used, `ProbesError` if the probes cannot be
    answered, and `RefusedError` if the broker refuses for good; a webhook tells of it, too.
    """
    try:
        _run(path, options, url, signals)
    except (ProbesError, RefusedError, WrongOptionsError) as error:
        if not process.has_started:
            own_sender.fail_startup("consumer", str(error))
        raise


def _run(path: str, options: Options, url: str | None, signals: StopSignals | None) -> None:
    log_somewhere("dockerflow_django", SUMMARY_LOGGER)
    options.check()
    handler = import_handler(path)
    found = broker_url(url)
    make_connection(found)
    inbox = Inbox()
    broker = Broker(found, path, options, inbox)
    probes = WorkerProbes(
        "consumer", liveness=broker.status.liveness, readiness=broker.status.readiness
    )

    def on_signal(count: int) -> None:
        process.drain()
        broker.stop(hurry=count > 1)
        probes.refresh()
        when = "at once" if count > 1 else "after the message in hand"
        log(logger, logging.INFO, "Stopping %s.", when)

    count_from_now_on()
    probes.start()
    try:
        if signals is not None:
            signals.listen(on_signal)
        HandlerThread(handler, inbox, broker.post, broker.wake).start()
        broker.run()
        log(logger, logging.INFO, "Stopped.")
    finally:
        probes.stop()
