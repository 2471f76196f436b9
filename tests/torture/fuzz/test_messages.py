"""Whatever a message in RabbitMQ is, it is handled or rejected, with one record."""

import datetime
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import amqp
from amqp.exceptions import FrameSyntaxError
from hypothesis import strategies as st

from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.tasks.amqp.record import FAILURE, SUCCESS
from dockerflow_django.tasks.headers import RID, TRACEPARENT
from tests.harness.queues import Queue
from tests.harness.waiting import wait_until
from tests.logging.lines import parse
from tests.tasks.amqp.conftest import queue
from tests.tasks.amqp.consumer import Consumer
from tests.torture.figures import Figures
from tests.torture.fuzz.budget import fuzz

__all__ = ["queue"]

Sized = Callable[..., Any]

# Not x-death: of a strange one RabbitMQ's own process of the queue ends, with what is in it.
names = st.text(max_size=40) | st.sampled_from(
    [RID, TRACEPARENT, "compression", "x-retry", "lang", "task", "id"]
)
scalars = st.one_of(
    st.text(max_size=200),
    st.sampled_from(["application/x-gzip", "zlib", "nonsense", "00-" + "1" * 32, "x" * 129, "a b"]),
    st.integers(-(2**63), 2**63 - 1),
    st.booleans(),
    st.none(),
    # One that is infinite ends RabbitMQ's reader.
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-10_000, 10_000, places=2),
    st.datetimes(datetime.datetime(1971, 1, 1), datetime.datetime(2100, 1, 1)),  # noqa: DTZ001
)
headers = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=5,
    ),
    max_size=4,
)
bodies = st.binary(max_size=200) | st.sampled_from(
    [b"", b"{}", b'{"a": 1', b"[" * 50_000, b"1" * 5_000, b'{"a": NaN}', b"\x80\x04N.", b"\x1f\x8b"]
)
short = st.text(max_size=60)
properties = st.fixed_dictionaries(
    {},
    optional={
        "content_type": short
        | st.sampled_from(
            [
                *("application/json", "text/plain", "application/data", "application/x-yaml"),
                *("application/x-python-serialize", "application/x-msgpack"),
            ]
        ),
        "content_encoding": short | st.sampled_from(["utf-8", "binary", "latin-1", "us-ascii"]),
        "correlation_id": short,
        "message_id": short,
        "reply_to": short,
        "type": short,
        "timestamp": st.integers(0, 2**62),
        "priority": st.integers(0, 255),
        "application_headers": headers,
    },
)


def look(body: Any, message: Any) -> None:
    """Do with the message what any handler does."""
    repr(body), message.properties, message.headers, message.delivery_info


def test_messages(queue: Queue, sized: Sized, figures: Figures) -> None:
    """Of any body, headers and properties that the broker takes."""
    queue.declare(**queue.arguments)
    published = 0

    def run(body: bytes, known: dict[str, Any]) -> None:
        nonlocal published
        message = amqp.Message(body, **known)
        # AMQP has no form for some; beside the consumer, which draws its pauses at random, this
        # would not be the same each time.
        with suppress(FrameSyntaxError, ValueError):
            queue.channel.basic_publish(message, routing_key=queue.name)
            published += 1

    done = fuzz(sized(100, 5_000), run, body=bodies, known=properties)
    # Not the broker's own count: it does not wait for what is on its way into the queue.
    assert published > 0.5 * done["examples"]
    with Consumer(look, queue.name, queue_arguments=queue.arguments) as consumer:
        wait_until(
            lambda: len(consumer.records) >= published or consumer.error is not None,
            timeout=120,
            what=lambda: f"{len(consumer.records)} of {published} records",
        )
        assert consumer.error is None
        assert consumer.is_alive()
        states = Counter(consumer.states)
        form = MozlogFormatter().format
        for record in consumer.records:
            parse(form(record))
        assert states.keys() == {SUCCESS, FAILURE}
        assert states.total() == published
        wait_until(lambda: queue.ready(queue.dead) == states[FAILURE])
    figures.note("Fuzz", "AMQP", **done, handled=states[SUCCESS], rejected=states[FAILURE])
