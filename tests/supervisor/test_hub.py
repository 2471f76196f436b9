"""A worker of gevent: a real thread takes the questions, greenlets of the hub answer them."""

import gc
import multiprocessing
import os
import signal
import socket
import threading
from typing import Any

import gevent
import pytest
from gevent import monkey

from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    PING,
    VERSION,
    Question,
    WorkerChannel,
    pack,
    unpack,
)
from dockerflow_django.supervisor.hub import Hub
from dockerflow_django.supervisor.worker import serve_questions


def test_hub() -> None:
    """A question from a real thread is answered in a greenlet of the hub, beside another one."""
    answered: list[tuple[str, bool]] = []
    may_end = threading.Event()

    def answer(question: Question) -> None:
        if question.name == "liveness":
            while not may_end.is_set():
                gevent.sleep(0.01)
        else:
            may_end.set()
        is_in_hub = threading.get_ident() == hub_thread.ident
        answered.append((question.name, is_in_hub))

    def turn() -> None:
        hub.append(Hub(answer))
        has_hub.set()
        with gevent.Timeout(5, exception=False):
            while len(answered) < 2:
                gevent.sleep(0.01)
        hub.clear()
        gevent.get_hub().destroy(destroy_loop=True)

    hub: list[Hub] = []
    has_hub = threading.Event()
    hub_thread = threading.Thread(target=turn)
    hub_thread.start()
    assert has_hub.wait(5)
    ask = hub[0]
    ask(Question(1, "liveness", {}))
    ask(Question(2, "readiness", {}))
    hub_thread.join(10)
    assert answered == [("readiness", True), ("liveness", True)]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_worker_that_gevent_has_patched(
    line: tuple[WorkerChannel, socket.socket], settings: Any
) -> None:
    """It acknowledges while its hub is busy, answers as soon as that turns, and ends as others."""
    channel, end = line
    reader, writer = os.pipe()
    # This keeps the whole hub waiting: gevent does not patch it.
    settings.DOCKERFLOW_VERSION_CALLBACK = lambda folder: {"version": os.read(reader, 9).decode()}
    worker = multiprocessing.get_context("fork").Process(target=_work, args=(channel, end))
    worker.start()
    try:
        channel.close()
        assert unpack(end.recv(MESSAGE_BYTES)) == ({"serves": True}, b"")
        # Queues of gevent promise to work across greenlets; across threads its hub does.
        assert unpack(end.recv(MESSAGE_BYTES)) == ({"answers_in": Hub.__name__}, b"")
        end.send(pack({"id": 1, "name": VERSION}))
        end.send(pack({"id": 2, "name": PING}))
        assert unpack(end.recv(MESSAGE_BYTES))[0]["id"] == 2
        os.write(writer, b"1.2")
        message, _ = unpack(end.recv(MESSAGE_BYTES))
        assert (message["id"], message["version"]) == (1, "1.2")
        end.close()
        worker.join(20)
        assert worker.exitcode == -signal.SIGTERM
    finally:
        worker.kill()
        worker.join()
        os.close(reader)
        os.close(writer)


def _work(channel: WorkerChannel, end: socket.socket) -> None:
    end.close()
    gc.freeze()  # gevent would look for locks in every object, and so evaluate Django's lazy ones
    monkey.patch_all()
    channel.attach()
    serve_questions(channel)
    channel.notify({"answers_in": type(channel._answer).__name__})
    gevent.sleep(60)
