"""The broker goes away and comes back: nothing is lost, and the status says what holds."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import pytest
from kombu import Connection

from dockerflow_django.tasks.amqp.actions import Action
from dockerflow_django.tasks.amqp.errors import RefusedError
from dockerflow_django.tasks.amqp.inbox import Delivery
from tests import services
from tests.harness.ports import Port
from tests.harness.queues import Queue, url_through
from tests.harness.relay import Relay
from tests.harness.waiting import wait_until
from tests.tasks.amqp.consumer import Consumer

FAULTS: dict[str, Callable[[Relay], None]] = {
    "refused": Relay.refuse,
    "frozen": Relay.swallow,
    "firewall": Relay.drop,
}
# A broker that is frozen is found out by its heartbeat; the agreed one is ten seconds.
HEARTBEAT = "?heartbeat=2"


class Held:
    """A handler that waits for the test."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.release = threading.Semaphore(0)
        self.seen: list[Any] = []

    def __call__(self, body: Any, message: Any) -> None:
        self.seen.append(body)
        self.started.release()
        assert self.release.acquire(timeout=60)


@pytest.mark.long
@pytest.mark.parametrize("fault", FAULTS)
def test_broker_goes_away(queue: Queue, relay: Relay, fault: str) -> None:
    """Not ready in time, alive all the time, ready again, and the message comes again."""
    handler = Held()
    with Consumer(handler, queue.name, url_through(relay.port) + HEARTBEAT) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"n": 1})
        assert handler.started.acquire(timeout=10)
        FAULTS[fault](relay)
        wait_until(lambda: not consumer.is_ready())
        wait_until(lambda: consumer.broker.status.problem, timeout=15)
        assert consumer.is_alive()
        handler.release.release()
        consumer.wait_for("UNACKED")
        relay.forward(reset=True)
        wait_until(consumer.is_ready, timeout=15)
        assert handler.started.acquire(timeout=15)
        handler.release.release()
        consumer.wait_for("UNACKED", "SUCCESS")
        assert consumer.records[1].redelivered
        consumer.stop()
        consumer.join()
    assert handler.seen == [{"n": 1}, {"n": 1}]
    assert queue.ready() == 0


def test_prefetched_messages_of_a_lost_connection_are_not_handled_twice(
    queue: Queue, relay: Relay
) -> None:
    """What waits here when the connection is lost is handled when it is delivered again, once."""
    handler = Held()
    with Consumer(handler, queue.name, url_through(relay.port), prefetch=10) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(*({"n": n} for n in range(10)))
        assert handler.started.acquire(timeout=10)
        wait_until(lambda: queue.ready() == 0)
        relay.refuse()
        wait_until(lambda: not consumer.is_ready())
        relay.forward()
        wait_until(consumer.is_ready)
        for _ in range(11):
            handler.release.release()
        consumer.wait_for("UNACKED", *["SUCCESS"] * 10)
    assert sorted(body["n"] for body in handler.seen) == [0, *range(10)]


def test_nothing_is_lost_while_work_flows(queue: Queue, relay: Relay, soak: bool) -> None:
    """Connections that break again and again cost no message: each is handled, and acknowledged."""
    count = 10_000 if soak else 400
    seen: list[int] = []
    handle = lambda body, message: seen.append(body["n"])  # noqa: E731
    with Consumer(handle, queue.name, url_through(relay.port), prefetch=5) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(*({"n": n} for n in range(count)))
        for part in (4, 3, 2):
            wait_until(lambda part=part: len(consumer.states) > count // part, timeout=120)
            relay.refuse()
            relay.forward()
        # An acknowledgement that was lost on its way has its message come again.
        wait_until(lambda: len(set(seen)) == count, timeout=120)
        consumer.stop()
        consumer.join()
    assert set(seen) == set(range(count))
    states = consumer.states
    # One record for each time that the function ran.
    assert len(states) == len(seen)
    assert set(states) <= {"SUCCESS", "UNACKED"}


def test_one_record_for_each_message(queue: Queue, soak: bool) -> None:
    """Exactly one record for each message, and none without one."""
    count = 10_000 if soak else 500
    seen: list[int] = []
    handle = lambda body, message: seen.append(body["n"])  # noqa: E731
    with Consumer(handle, queue.name, prefetch=20) as consumer:
        queue.declare()
        queue.publish(*({"n": n} for n in range(count)))
        wait_until(lambda: len(consumer.states) >= count, timeout=120)
        consumer.stop()
        consumer.join()
    assert consumer.states == ["SUCCESS"] * count
    assert seen == list(range(count))
    assert queue.ready() == 0


@pytest.mark.long
def test_a_long_message_starves_no_heartbeat(queue: Queue) -> None:
    """A handler that takes several heartbeats is acknowledged, and its message comes once."""
    handler = Held()
    with Consumer(handler, queue.name, services.amqp_url() + "?heartbeat=4") as consumer:
        wait_until(consumer.is_ready)
        assert consumer.broker.status.heartbeat_seconds == 4
        queue.publish({"n": 1})
        assert handler.started.acquire(timeout=10)
        end = time.monotonic() + 9
        while time.monotonic() < end:
            assert consumer.is_ready()
            assert consumer.is_alive()
            time.sleep(0.1)
        handler.release.release()
        consumer.wait_for("SUCCESS")
        consumer.stop()
        consumer.join()
    assert queue.ready() == 0


def test_no_broker_at_first(queue: Queue, relay: Relay) -> None:
    """Without a broker the consumer is alive and not ready; it consumes when there is one."""
    relay.refuse()
    with Consumer(lambda body, message: None, queue.name, url_through(relay.port)) as consumer:
        wait_until(lambda: consumer.broker.status.problem)
        assert consumer.is_alive()
        assert not consumer.is_ready()
        relay.forward()
        wait_until(consumer.is_ready, timeout=15)
        queue.publish({})
        consumer.wait_for("SUCCESS")


def test_channel_closed_by_the_broker(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that the broker closes is not ready, and replaced after a pause."""
    monkeypatch.setattr("dockerflow_django.tasks.amqp.broker.PAUSES_SECONDS", (1.0,))
    with Consumer(lambda body, message: None, queue.name) as consumer:
        wait_until(consumer.is_ready)
        broker = consumer.broker
        unknown: Any = SimpleNamespace(delivery_tag=4711, delivery_info={}, properties={})
        broker.post(Action(Delivery(unknown, queue.name, "shop.handle", broker._epoch), "ack"))
        problem = wait_until(lambda: not consumer.is_ready() and broker.status.problem)
        assert problem == "The AMQP broker does not let us consume the queue."
        wait_until(consumer.is_ready)
        queue.publish({})
        consumer.wait_for("SUCCESS")


def test_consumer_cancelled(queue: Queue, monkeypatch: pytest.MonkeyPatch) -> None:
    """A consumer whose queue is deleted is not ready; it declares the queue and goes on."""
    monkeypatch.setattr("dockerflow_django.tasks.amqp.broker.PAUSES_SECONDS", (1.0,))
    with Consumer(lambda body, message: None, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.delete()
        wait_until(lambda: not consumer.is_ready())
        assert "cancelled the consumer" in consumer.broker.status.problem
        wait_until(consumer.is_ready)
        queue.publish({})
        consumer.wait_for("SUCCESS")


def test_connected_and_not_consuming(queue: Queue, settings: Any) -> None:
    """If the broker answers and the queue cannot be consumed, liveness fails in the end."""
    settings.DOCKERFLOW_WORKER_STALL_SECONDS = 1.5
    with Consumer(lambda body, message: None, queue.name) as consumer:
        wait_until(consumer.is_ready)
        with taken(queue):
            wait_until(lambda: not consumer.is_ready())
            assert consumer.is_alive()
            wait_until(lambda: not consumer.is_alive())
            assert consumer.error is None
        wait_until(lambda: consumer.is_ready() and consumer.is_alive())


@contextmanager
def taken(queue: Queue) -> Iterator[None]:
    """Have the queue for another connection alone."""
    with Connection(services.amqp_url()) as other:
        channel = other.channel()
        while True:  # the consumer may declare it in between
            queue.delete()
            try:
                channel.queue_declare(queue.name, exclusive=True)
                break
            except Exception:
                channel = other.channel()
        yield


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("amqp://guest:s3cr3t@{}//", "refuses access"),
        ("amqp://guest:guest@{}/no-such-host", "refuses access"),
    ],
)
def test_refused_access(queue: Queue, relay: Relay, url: str, sentence: str) -> None:
    """Wrong credentials and a wrong virtual host are final, and not shown."""
    with Consumer(
        lambda body, message: None, queue.name, url.format(f"127.0.0.1:{relay.port}")
    ) as consumer:
        consumer.join()
    assert isinstance(consumer.error, RefusedError)
    assert sentence in str(consumer.error)
    assert "s3cr3t" not in str(consumer.error)


def test_queue_with_other_arguments(queue: Queue) -> None:
    """A queue that exists with other arguments is final, and the line says which."""
    queue.declare(**{"x-max-length": 7})
    with Consumer(lambda body, message: None, queue.name) as consumer:
        consumer.join()
    assert isinstance(consumer.error, RefusedError)
    assert "x-max-length" in str(consumer.error)
    with Consumer(
        lambda body, message: None, queue.name, queue_arguments={"x-max-length": 7}
    ) as consumer:
        wait_until(consumer.is_ready)


def test_exchange_of_another_type(queue: Queue) -> None:
    """An exchange that exists with another type is final too."""
    queue.channel.exchange_declare(queue.name, "fanout", durable=True, auto_delete=False)
    options = {"exchange": queue.name, "exchange_type": "direct", "routing_keys": ["a"]}
    try:
        with Consumer(lambda body, message: None, queue.dead, **options) as consumer:
            consumer.join()
        assert "other arguments" in str(consumer.error)
        assert "'type'" in str(consumer.error)
    finally:
        queue.channel.exchange_delete(queue.name)


def test_pauses_grow_and_nothing_is_busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker that stays away is asked seldom: the pauses grow to their longest."""
    monkeypatch.setattr(
        "dockerflow_django.tasks.amqp.broker.PAUSES_SECONDS", (0.05, 0.1, 0.2, 100.0)
    )
    with (
        Port() as port,
        Consumer(lambda body, message: None, "q", f"amqp://127.0.0.1:{port.number}//") as consumer,
    ):
        wait_until(lambda: consumer.broker._attempts == 4)
        started = time.process_time()
        time.sleep(0.5)
        assert consumer.broker._attempts == 4
        assert time.process_time() - started < 0.25


@pytest.mark.parametrize("is_away", [False, True], ids=["connected", "broker away"])
def test_stopping_finishes_the_message_in_hand(queue: Queue, relay: Relay, is_away: bool) -> None:
    """The message in hand is finished, those behind it go back, and then the consumer ends."""
    handler = Held()
    with Consumer(handler, queue.name, url_through(relay.port), prefetch=5) as consumer:
        wait_until(consumer.is_ready)
        queue.publish(*({"n": n} for n in range(5)))
        assert handler.started.acquire(timeout=10)
        if is_away:
            relay.refuse()
            wait_until(lambda: not consumer.is_ready())
        consumer.stop()
        handler.release.release()
        consumer.join()
        consumer.wait_for("UNACKED" if is_away else "SUCCESS")
    wait_until(lambda: queue.ready() == (5 if is_away else 4))
    assert handler.seen == [{"n": 0}]


def test_hurry(queue: Queue) -> None:
    """In a hurry the message in hand is left, recorded as not acknowledged, and goes back."""
    handler = Held()
    with Consumer(handler, queue.name) as consumer:
        wait_until(consumer.is_ready)
        queue.publish({"n": 1})
        assert handler.started.acquire(timeout=10)
        consumer.stop()
        consumer.stop(hurry=True)
        consumer.join()
        assert consumer.states == ["UNACKED"]
        wait_until(lambda: queue.ready() == 1)
        handler.release.release()
    assert consumer.states == ["UNACKED"]


def test_second_host(queue: Queue) -> None:
    """Of several hosts in the URL the first that answers is taken, without a pause."""
    with Port() as port:
        url = f"amqp://guest:guest@127.0.0.1:{port.number}//;{services.amqp_url()}"
        with Consumer(lambda body, message: None, queue.name, url) as consumer:
            wait_until(consumer.is_ready)
            queue.publish({})
            consumer.wait_for("SUCCESS")
            assert consumer.broker._attempts == 0


def test_large_message_in_a_quorum_queue(queue: Queue) -> None:
    """A message of many frames is read in parts, and a queue of another type is declared."""
    sizes: list[int] = []
    arguments = {"x-queue-type": "quorum"}
    handle = lambda body, message: sizes.append(len(body))  # noqa: E731
    with Consumer(handle, queue.name, queue_arguments=arguments) as consumer:
        wait_until(consumer.is_ready, timeout=15)
        queue.publish(
            b"x" * 8_000_000, content_type="application/octet-stream", content_encoding="binary"
        )
        consumer.wait_for("SUCCESS")
    assert sizes == [8_000_000]
