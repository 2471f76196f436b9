"""What becomes of a message, by what the handler does; exactly one record each."""

import itertools
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from django.test import Client

from dockerflow_django.context import current_rid, current_trace
from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.tasks import Reject, Requeue
from tests.harness.queues import Queue
from tests.harness.waiting import wait_until
from tests.tasks.amqp.consumer import Consumer

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def succeed(body: Any, message: Any) -> None:
    """Do nothing."""


def reject(body: Any, message: Any) -> None:
    raise Reject


def fail(body: Any, message: Any) -> None:
    raise ValueError("no such order, password=hunter2")


def leave(body: Any, message: Any) -> None:
    raise SystemExit(3)


async def fail_async(body: Any, message: Any) -> None:
    raise ValueError("no such order")


async def succeed_async(body: Any, message: Any) -> None:
    assert current_rid()


def ack(body: Any, message: Any) -> None:
    message.ack()
    message.ack_log_error(logging.getLogger(), (Exception,))


def ack_and_fail(body: Any, message: Any) -> None:
    message.ack()
    raise ValueError("too late")


def reject_itself(body: Any, message: Any) -> None:
    message.reject()


def generate(body: Any, message: Any) -> Iterator[None]:
    yield


async def generate_async(body: Any, message: Any) -> AsyncIterator[None]:
    yield


def generate_and_run(body: Any, message: Any) -> Iterator[None]:
    found = generate(body, message)
    assert list(found) == [None]
    return found


def generate_and_begin(body: Any, message: Any) -> Iterator[None]:
    found = generate(body, message)
    next(found)
    return found


async def generate_async_and_run(body: Any, message: Any) -> AsyncIterator[None]:
    found = generate_async(body, message)
    assert [each async for each in found] == [None]
    return found


def decorated(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def call(body: Any, message: Any) -> Any:
        return handler(body, message)

    return call


def decorated_async(handler: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    async def call(body: Any, message: Any) -> Any:
        return handler(body, message)

    return call


@pytest.mark.parametrize(
    ("handler", "state", "level", "dead"),
    [
        (succeed, "SUCCESS", "INFO", 0),
        (succeed_async, "SUCCESS", "INFO", 0),
        (generate_and_run, "SUCCESS", "INFO", 0),
        (generate_async_and_run, "SUCCESS", "INFO", 0),
        (ack, "SUCCESS", "INFO", 0),
        (reject, "REJECTED", "WARNING", 1),
        (reject_itself, "REJECTED", "WARNING", 1),
        (fail, "FAILURE", "ERROR", 1),
        (fail_async, "FAILURE", "ERROR", 1),
        (leave, "FAILURE", "ERROR", 1),
        (ack_and_fail, "FAILURE", "ERROR", 0),
        (decorated(generate), "FAILURE", "ERROR", 1),
        (generate_and_begin, "FAILURE", "ERROR", 1),
        (decorated(generate_async), "FAILURE", "ERROR", 1),
        (decorated_async(generate), "FAILURE", "ERROR", 1),
    ],
)
def test_outcome(
    queue: Queue, handler: Callable[[Any, Any], Any], state: str, level: str, dead: int
) -> None:
    """What the handler does decides what the broker is told, and the record says so."""
    with Consumer(handler, queue.name, queue_arguments=queue.arguments) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1})
        consumer.wait_for(state)
        assert consumer.records[0].levelname == level
        wait_until(lambda: queue.ready(queue.dead) == dead)
        consumer.stop()
        consumer.join()
    assert queue.ready() == 0
    assert consumer.states == [state]


def test_a_coroutine_that_nobody_awaits(queue: Queue) -> None:
    """A message is not handled if what its handler returns in the end is a coroutine."""
    left = []

    async def handle(body: Any, message: Any) -> Any:
        left.append(succeed_async(body, message))
        return left[0]

    with Consumer(handle, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1})
        consumer.wait_for("FAILURE")
    left[0].close()
    sentence = "the handler returned a coroutine that has not run to its end"
    assert consumer.records[0].getMessage().endswith(sentence)


@pytest.mark.parametrize(
    ("body", "content_type", "headers"),
    [
        (b"{not json", "application/json", {}),
        (b"\xff\xfe", "application/json", {}),
        (b"cos\nsystem\n(S'true'\ntR.", "application/x-python-serialize", {}),
        (b"[" * 200000, "application/json", {}),
        (b"{}", "application/json", {"compression": "zlib"}),
    ],
    ids=["json", "bytes", "pickle", "deep", "compression"],
)
def test_poison(queue: Queue, body: bytes, content_type: str, headers: dict[str, Any]) -> None:
    """A body that cannot be read is rejected once; the next message is handled."""
    with Consumer(succeed, queue.name, queue_arguments=queue.arguments) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(body, content_type=content_type, content_encoding="utf-8", headers=headers)
        queue.publish({"order": 2})
        consumer.wait_for("FAILURE", "SUCCESS")
        wait_until(lambda: queue.ready(queue.dead) == 1)


def test_poison_is_not_logged(queue: Queue, caplog: pytest.LogCaptureFixture) -> None:
    """What is wrong with a body is told without it: some exceptions hold all of it."""
    with Consumer(succeed, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(b"\xffour order", content_type="application/json", content_encoding="utf-8")
        consumer.wait_for("FAILURE")
    (told,) = [each for each in caplog.records if each.name == "dockerflow_django.tasks"]
    lines = MozlogFormatter().format(told) + consumer.records[0].getMessage()
    assert "can't decode byte 0xff in position 0" in told.getMessage()
    assert "our order" not in lines
    assert told.levelno == logging.ERROR


def test_filter_that_raises(queue: Queue, capfd: pytest.CaptureFixture[str]) -> None:
    """What a project's log filter raises ends neither the handler's thread nor the connection."""
    breaks = logging.Filter()
    breaks.filter = lambda record: record.args[5]  # type: ignore[index, assignment, return-value]
    logger = logging.getLogger("dockerflow_django.tasks")
    logger.addFilter(breaks)
    try:
        with Consumer(fail, queue.name, queue_arguments=queue.arguments) as consumer:
            wait_until(consumer.is_ready)
            queue.publish({"order": 1})
            queue.publish(b"\xff", content_type="application/json", content_encoding="utf-8")
            queue.publish({"order": 2})
            consumer.wait_for("FAILURE", "FAILURE", "FAILURE")
            wait_until(lambda: queue.ready(queue.dead) == 3)
            consumer.stop()
            consumer.join()
    finally:
        logger.removeFilter(breaks)
    assert consumer.error is None
    assert "IndexError" in capfd.readouterr().err


def test_requeue(queue: Queue) -> None:
    """A message that is given back comes again, each time after a longer pause."""
    times: list[float] = []

    def handle(body: Any, message: Any) -> None:
        times.append(time.monotonic())
        if len(times) < 4:
            raise Requeue

    with Consumer(handle, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1})
        consumer.wait_for("REQUEUED", "REQUEUED", "REQUEUED", "SUCCESS")
    pauses = [later - earlier for earlier, later in itertools.pairwise(times)]
    assert pauses[0] >= 0.2
    assert pauses[1] >= 0.4
    assert pauses[2] >= 0.8
    assert [record.redelivered for record in consumer.records] == [False, True, True, True]


def test_stopping_in_a_pause(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer that stops gives a message back at once instead of pausing."""
    monkeypatch.setattr("dockerflow_django.tasks.amqp.handling.FIRST_PAUSE_SECONDS", 30.0)

    def handle(body: Any, message: Any) -> None:
        raise Requeue

    with Consumer(handle, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1})
        consumer.wait_for("REQUEUED")
        consumer.stop()
        consumer.join()
    wait_until(lambda: queue.ready() == 1)


def test_record(queue: Queue) -> None:
    """The record says which message it was, how it ended, and how long it took."""
    with Consumer(fail, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1}, message_id="m-1", headers={"dockerflow_rid": "web-7"})
        consumer.wait_for("FAILURE")
    (record,) = consumer.records
    assert record.getMessage() == "ValueError: no such order, password=[redacted]"
    assert (record.rid, record.message_id, record.queue) == ("web-7", "m-1", queue.name)
    assert (record.routing_key, record.handler) == (queue.name, "shop.handle")
    assert record.redelivered is False
    assert not hasattr(record, "exchange")
    assert isinstance(record.t, int)
    assert (record.db_queries, record.t_db) == (0, 0)


@pytest.mark.parametrize(
    ("headers", "properties", "expected"),
    [
        ({"dockerflow_rid": "web-7"}, {"correlation_id": "other"}, "web-7"),
        ({}, {"correlation_id": "corr-1"}, "corr-1"),
        ({"dockerflow_rid": "bad id\n"}, {}, None),
        ({"dockerflow_rid": 7}, {}, None),
        ({}, {}, None),
    ],
)
def test_rid(
    queue: Queue, headers: dict[str, Any], properties: dict[str, Any], expected: str | None
) -> None:
    """The id comes with the message, is validated, and is current while it is handled."""
    seen: list[str | None] = []
    with Consumer(lambda body, message: seen.append(current_rid()), queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({}, headers=headers, **properties)
        consumer.wait_for("SUCCESS")
    assert seen == [consumer.records[0].rid]
    assert seen[0] == expected or (expected is None and len(seen[0] or "") == 32)
    assert current_rid() is None


def test_trace(queue: Queue) -> None:
    """A valid ``traceparent`` is current, and in the record."""
    seen: list[Any] = []
    with Consumer(lambda body, message: seen.append(current_trace()), queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({}, {}, headers={"traceparent": TRACEPARENT})
        queue.publish({}, headers={"traceparent": "nonsense"})
        consumer.wait_for("SUCCESS", "SUCCESS", "SUCCESS")
    assert [trace and trace.span_id for trace in seen] == [*["b7ad6b7169203331"] * 2, None]
    assert consumer.records[0].trace_id == TRACEPARENT[3:35]
    assert not hasattr(consumer.records[2], "trace_id")


def test_a_request_in_a_handler(queue: Queue) -> None:
    """A handler that uses a test client has the message's id afterwards."""
    seen: list[str | None] = []

    def ask(body: Any, message: Any) -> None:
        Client().get("/plain/")
        seen.append(current_rid())

    with Consumer(ask, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({}, headers={"dockerflow_rid": "web-7"})
        consumer.wait_for("SUCCESS")
    assert seen == ["web-7"]


def test_one_after_the_other(queue: Queue) -> None:
    """However many are prefetched, one is handled at a time, in order."""
    running, most, seen = 0, 0, []

    def handle(body: Any, message: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        seen.append(body["n"])
        running -= 1

    with Consumer(handle, queue.name, prefetch=20) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(*({"n": n} for n in range(40)))
        consumer.wait_for(*["SUCCESS"] * 40)
    assert (most, seen) == (1, list(range(40)))


def test_connections_are_closed_in_their_own_thread(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django's stale connections are closed around each message, by the handler's thread."""
    closers: list[str] = []
    monkeypatch.setattr(
        "dockerflow_django.tasks.amqp.handling.close_old_connections",
        lambda: closers.append(threading.current_thread().name),
    )
    with Consumer(succeed, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({})
        consumer.wait_for("SUCCESS")
    assert closers == ["dockerflow-handler"] * 2


@pytest.mark.parametrize(
    ("exchange_type", "key", "bound"),
    [
        ("topic", "order.paid", ["order.*"]),
        ("direct", "paid", ["sent", "paid"]),
        ("fanout", "x", []),
    ],
)
def test_exchange(queue: Queue, exchange_type: str, key: str, bound: list[str]) -> None:
    """The exchange is declared, and the queue is bound to it by every key."""
    exchange = f"{queue.name}-{exchange_type}"
    options = {"exchange": exchange, "exchange_type": exchange_type, "routing_keys": bound}
    try:
        with Consumer(succeed, queue.name, **options) as consumer:
            wait_until(consumer.is_ready)
            queue.publish({}, exchange=exchange, key=key)
            consumer.wait_for("SUCCESS")
        record = consumer.records[0]
        assert (record.exchange, record.routing_key) == (exchange, key)
    finally:
        queue.channel.exchange_delete(exchange)


def test_an_error_of_our_own(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """If something around the function raises, the message is rejected and the next is handled."""
    calls = iter([RuntimeError("no thread")])

    def raise_once() -> None:
        for error in calls:
            raise error

    monkeypatch.setattr("dockerflow_django.tasks.amqp.handling._refresh_connections", raise_once)
    with Consumer(succeed, queue.name, queue_arguments=queue.arguments) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"order": 1}, {"order": 2})
        consumer.wait_for("FAILURE", "SUCCESS")
        wait_until(lambda: queue.ready(queue.dead) == 1)


def test_a_message_that_the_handler_spoils(queue: Queue) -> None:
    """Whatever the handler does to the message, it is acknowledged and recorded as it came."""

    def spoil(body: Any, message: Any) -> None:
        message.delivery_tag = 99
        message.body = message.headers = message.properties = message.delivery_info = None
        message.channel = None

    with Consumer(spoil, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({}, {}, message_id="m-1")
        consumer.wait_for("SUCCESS", "SUCCESS")
        assert consumer.records[0].message_id == "m-1"
        assert consumer.is_ready()
