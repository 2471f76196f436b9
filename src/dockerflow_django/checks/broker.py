"""Connect to a message broker through Kombu: once, within a time, and closed again."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

REDIS_POLLING_SECONDS = 0.05


class BrokerMisconfiguredError(Exception):
    """The URL is not one that Kombu can use; the text says why, and holds nothing of the URL."""

    def __init__(self, error: Exception) -> None:
        name = type(error).__name__
        # A client that is missing, or the name of a transport. Any other text may hold a password:
        # of one with a slash in it, the first part is taken for the port.
        is_harmless = isinstance(error, ImportError | KeyError)
        super().__init__(f"{name}: {error}" if is_harmless else name)


class BrokerUnreachableError(Exception):
    """The broker did not answer, or refused."""


@contextmanager
def connected(make: Callable[[], Any], timeout_seconds: float) -> Iterator[Any]:
    """Open the `kombu.Connection` that ``make`` gives, and close it.

    Each host of the URL is tried once: by itself Kombu retries for ever. A
    `BrokerUnreachableError` carries the client's own error as its ``__cause__``, from inside the
    block too.
    """
    connection = _prepared(make, timeout_seconds)
    refusals = (OSError, *connection.connection_errors, *connection.channel_errors)
    try:
        with connection:
            _connect(connection)
            yield connection
    except refusals as error:
        raise BrokerUnreachableError from error


def _prepared(make: Callable[[], Any], timeout_seconds: float) -> Any:
    try:
        connection = make()
        driver = connection.get_transport_cls().driver_type
    except (AttributeError, ImportError, KeyError, TypeError, ValueError) as error:
        raise BrokerMisconfiguredError(error) from None
    # The project's own options win.
    connection.transport_options = _limits(driver, timeout_seconds) | connection.transport_options
    return connection


def _limits(driver: str, seconds: float) -> dict[str, float]:
    """Bound what `connect_timeout` does not, in the terms of the transport."""
    if driver == "amqp":
        # Closing, too, asks the broker and waits for its answer.
        return {"read_timeout": seconds, "write_timeout": seconds}
    if driver == "redis":
        # Closing waits until a poll has ended, which takes a second by default.
        return {
            "socket_timeout": seconds,
            "socket_connect_timeout": seconds,
            "polling_interval": REDIS_POLLING_SECONDS,
        }
    return {}


def _connect(connection: Any) -> None:
    from kombu.exceptions import OperationalError

    other_hosts = max(len(connection.alt) - 1, 0)
    try:
        connection.ensure_connection(max_retries=other_hosts, interval_start=0, interval_step=0)
    except OperationalError as error:
        raise BrokerUnreachableError from error.__cause__ or error
    except (ImportError, TypeError, ValueError) as error:
        raise BrokerMisconfiguredError(error) from None
