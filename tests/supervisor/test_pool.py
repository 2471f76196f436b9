"""What the pool hears on a worker's line: its thread does not run, the test is the worker."""

from dockerflow_django.supervisor.channel import Message, pack
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.probes import ContainerProbes


def say(worker: Worker, *messages: Message) -> None:
    """Write the messages as the worker does."""
    for message in messages:
        worker.worker_end.send(pack(message))


def test_serving_is_for_good(still: ContainerProbes) -> None:
    """An answer that was begun before a worker served takes back nothing when it comes late."""
    worker = still.pool.add(1)
    say(worker, {"serves": True}, {"serves": False, "stops": False, "id": 1})
    still.pool._listen()
    assert worker.is_serving
