"""A queue of a test's own in the machine's RabbitMQ, which stays up for everybody."""

import uuid
from typing import Any
from urllib.parse import urlsplit

from kombu import Connection, Exchange
from kombu import Queue as KombuQueue

from tests import services
from tests.harness.closing import Closing


class Queue(Closing):
    """A name that nobody else has; whoever consumes declares the queue. Gone at the end.

    ``dead`` is a second queue, which gets what is rejected if the queue is declared with
    `arguments`.
    """

    def __init__(self) -> None:
        services.require("amqp")
        self.name = f"test-{uuid.uuid4().hex}"
        self.dead = f"{self.name}-dead"
        self.connection = Connection(services.amqp_url())
        self.channel: Any = self.connection.channel()
        self.arguments = {"x-dead-letter-exchange": "", "x-dead-letter-routing-key": self.dead}
        KombuQueue(self.dead)(self.channel).declare()

    def declare(self, **arguments: Any) -> None:
        """Declare the queue before anybody consumes it."""
        KombuQueue(self.name, queue_arguments=arguments or None)(self.channel).declare()

    def publish(self, *bodies: Any, exchange: str = "", key: str = "", **more: Any) -> None:
        """Send the bodies as JSON, or as `content_type` says."""
        producer = self.connection.Producer(self.channel)
        for body in bodies:
            producer.publish(
                body, exchange=Exchange(exchange), routing_key=key or self.name, **more
            )

    def ready(self, name: str = "") -> int:
        """Return how many messages wait in the queue, those that somebody holds not counted."""
        found = self.channel.queue_declare(name or self.name, passive=True)
        return int(found.message_count)

    def consumers(self) -> int:
        return int(self.channel.queue_declare(self.name, passive=True).consumer_count)

    def delete(self) -> None:
        """Delete the queue: the broker cancels its consumers."""
        self.channel.queue_delete(self.name)

    def close(self) -> None:
        with self.connection, Connection(services.amqp_url()) as fresh:
            channel = fresh.channel()
            for name in (self.name, self.dead):
                channel.queue_delete(name)


def port() -> int:
    """Return the port of the machine's RabbitMQ."""
    return urlsplit(services.amqp_url()).port or 5672


def url_through(relay_port: int) -> str:
    """Return the URL of the same RabbitMQ behind a relay."""
    parts = urlsplit(services.amqp_url())
    user_info = parts.netloc.rpartition("@")[0]
    return parts._replace(netloc=f"{user_info}@127.0.0.1:{relay_port}").geturl()
