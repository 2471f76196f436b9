"""What an error of the broker means: try again, or never."""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    AMQPNotImplementedError,
    ChannelError,
    ConsumerCancelled,
    InvalidCommand,
    InvalidPath,
    NotAllowed,
    PreconditionFailed,
)
from kombu.exceptions import KombuError

from dockerflow_django.logging.description import describe
from dockerflow_django.logging.scrubbing import scrub

Stage = Literal["connect", "declare"]

# Another attempt would be refused in the same way.
_FOR_GOOD: dict[Stage, tuple[type[AMQPError], ...]] = {
    "connect": (AccessRefused, NotAllowed, InvalidPath),
    "declare": (
        AccessRefused,
        AMQPNotImplementedError,
        InvalidCommand,
        NotAllowed,
        PreconditionFailed,
    ),
}
# RabbitMQ says so while it starts, and of a queue that another consumer has for itself.
_FOR_NOW = ("is down", "exclusive")


# What the client itself cannot put into a frame, or into a call.
_UNUSABLE: dict[Stage, str] = {
    "connect": "the broker's URL has an option that Kombu cannot use",
    "declare": "a name, a --routing-key or a --queue-argument is longer or larger than AMQP allows",
}


class RefusedError(Exception):
    """The broker refuses for good; the text says what, and holds no credentials."""


@contextmanager
def refusal_of(stage: Stage) -> Iterator[None]:
    """Raise `RefusedError` instead of an error that no further attempt would mend."""
    try:
        yield
    except _FOR_GOOD[stage] as error:
        text = _text_of(error)
        if any(words in text for words in _FOR_NOW):
            raise
        raise RefusedError(f"{_meaning(error, stage)}: {text}") from error
    except OSError:  # a certificate that is not accepted is a ValueError as well
        raise
    except (TypeError, ValueError, struct.error) as error:
        raise RefusedError(f"{_UNUSABLE[stage]}: {describe(error)}") from error


def _meaning(error: AMQPError, stage: Stage) -> str:
    if stage == "connect":
        return "the AMQP broker refuses access (are user, password and virtual host right?)"
    if isinstance(error, PreconditionFailed) and "inequivalent" not in _text_of(error):
        return "the AMQP broker does not take the queue's arguments (--queue-argument)"
    if isinstance(error, PreconditionFailed):
        return (
            "the queue or the exchange exists already with other arguments (give the same with "
            "--exchange-type and --queue-argument, or delete it)"
        )
    return "the AMQP broker refuses to let us consume"


def is_present(error: Exception) -> bool:
    """Tell whether the broker is there all the same, and only does not deliver."""
    return isinstance(error, (ChannelError, ConsumerCancelled))


def is_strange(error: Exception) -> bool:
    """Tell whether it is none of the errors that a broker, or the way to it, is known to cause."""
    return not isinstance(error, (AMQPError, KombuError, OSError))


def problem_of(error: Exception) -> str:
    """Return a fixed sentence, for everyone; the error itself is for the log."""
    if isinstance(error, ConsumerCancelled):
        return "The AMQP broker has cancelled the consumer."
    if isinstance(error, ChannelError):
        return "The AMQP broker does not let us consume the queue."
    if isinstance(error, TimeoutError):
        return "The AMQP broker does not answer."
    return "The AMQP broker cannot be reached."


def _text_of(error: AMQPError) -> str:
    return scrub(" ".join(str(error.reply_text or error).split()))
