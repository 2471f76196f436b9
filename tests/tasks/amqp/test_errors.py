"""Which errors of a broker are final, and what is said of the others."""

import ssl
import struct

import pytest
from amqp.exceptions import (
    AccessRefused,
    AMQPError,
    ConsumerCancelled,
    InvalidCommand,
    NotAllowed,
    NotFound,
    PreconditionFailed,
    ResourceLocked,
)

from dockerflow_django.tasks.amqp.errors import (
    RefusedError,
    Stage,
    is_present,
    is_strange,
    problem_of,
    refusal_of,
)


@pytest.mark.parametrize(
    ("stage", "error", "sentence"),
    [
        ("connect", AccessRefused("Login was refused"), "refuses access"),
        ("connect", NotAllowed("vhost shop not found"), "refuses access"),
        ("connect", TypeError("unexpected keyword argument 'ssl_ca_certs'"), "has an option that"),
        ("declare", PreconditionFailed("inequivalent arg"), "exists already with other arguments"),
        ("declare", PreconditionFailed("invalid arg 'x-max-length'"), "does not take the queue's"),
        ("declare", struct.error("int too large to convert"), "larger than AMQP allows"),
        ("declare", AccessRefused("access to queue refused"), "refuses to let us consume"),
        ("declare", InvalidCommand("unknown exchange type"), "refuses to let us consume"),
    ],
)
def test_final(stage: Stage, error: Exception, sentence: str) -> None:
    """What no further attempt would mend ends the consumer."""
    with pytest.raises(RefusedError, match=sentence), refusal_of(stage):
        raise error


@pytest.mark.parametrize(
    ("stage", "error"),
    [
        ("connect", NotAllowed("vhost '/' is down")),
        ("connect", ConnectionRefusedError()),
        ("connect", ssl.SSLCertVerificationError("expired")),
        ("declare", AccessRefused("queue 'q' in exclusive use")),
        ("declare", ResourceLocked("cannot obtain exclusive access")),
        ("declare", NotFound("home node of the queue is down")),
    ],
)
def test_passing(stage: Stage, error: Exception) -> None:
    """What may pass by itself is tried again."""
    with pytest.raises(type(error)), refusal_of(stage):
        raise error


@pytest.mark.parametrize(
    ("error", "sentence", "present", "strange"),
    [
        (ConsumerCancelled("tag"), "The AMQP broker has cancelled the consumer.", True, False),
        (NotFound("q"), "The AMQP broker does not let us consume the queue.", True, False),
        (TimeoutError(), "The AMQP broker does not answer.", False, False),
        (ConnectionResetError(), "The AMQP broker cannot be reached.", False, False),
        (AMQPError("frame"), "The AMQP broker cannot be reached.", False, False),
        (KeyError("channel"), "The AMQP broker cannot be reached.", False, True),
    ],
)
def test_problem(error: Exception, sentence: str, present: bool, strange: bool) -> None:
    """Everyone is told a fixed sentence; the log has the traceback of what nobody expected."""
    assert problem_of(error) == sentence
    assert (is_present(error), is_strange(error)) == (present, strange)
