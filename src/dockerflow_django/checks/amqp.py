"""Ask whether an AMQP broker lets us in."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error

from dockerflow_django import health
from dockerflow_django.checks.broker import (
    BrokerMisconfiguredError,
    BrokerUnreachableError,
    connected,
)
from dockerflow_django.checks.messages import failure

URL_SETTING = "AMQP_URL"


def check_amqp_connected(
    app_configs: Any,
    *,
    url: str | None = None,
    timeout_seconds: float = 0.7,
    **kwargs: Any,
) -> list[CheckMessage]:
    """Connect to an AMQP broker, log in and open the virtual host. Needs the extra ``amqp``.

    :param url: the broker's URL; the Django setting ``AMQP_URL`` if not given.
    :param timeout_seconds: the longest wait to connect and for each answer.
    """
    try:
        from kombu.connection import Connection
    except ImportError as error:
        sentence = "The AMQP client is not installed: run `pip install dockerflow-django[amqp]`."
        return [failure(Error, sentence, health.ERROR_MISSING_CLIENT, error)]
    address = url or getattr(settings, URL_SETTING, None)
    if not address:
        sentence = f"No AMQP broker is named: give the check `url`, or set {URL_SETTING}."
        return [failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK)]

    def make() -> Any:
        return Connection(address, connect_timeout=timeout_seconds)  # type: ignore[no-untyped-call]

    try:
        with connected(make, timeout_seconds):
            return []
    except BrokerUnreachableError as error:
        sentence = "The AMQP broker cannot be reached."
        return [failure(Error, sentence, health.ERROR_CANNOT_CONNECT_AMQP, error.__cause__)]
    except BrokerMisconfiguredError as error:
        sentence = "The URL of the AMQP broker is not one that Kombu can use."
        return [failure(Error, sentence, health.ERROR_MISCONFIGURED_CHECK, str(error))]
