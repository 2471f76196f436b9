"""The workers that this process has started, and the one thread that asks and listens to them.

The thread does nothing that waits for anybody: a worker that is frozen costs it one question that
stays open. What it finds is for `probes` to judge.
"""

import contextlib
import itertools
import logging
import os
import select
import socket
import threading
from collections.abc import Callable
from typing import Any

from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    Message,
    pack,
    unpack,
)
from dockerflow_django.supervisor.clock import RunningClock
from dockerflow_django.supervisor.known import OpenQuestion, Worker

TICK_SECONDS = 0.25

logger = logging.getLogger("dockerflow_django")


class WorkerPool:
    """The workers of this process, each with a line of its own."""

    def __init__(self, on_tick: Callable[[], None] = lambda: None) -> None:
        self.lock = threading.RLock()
        self.clock = RunningClock()
        self.is_draining = False
        # What the last worker said that could not serve.
        self.problem = ""
        self.on_tick = on_tick
        self._workers: list[Worker] = []
        self._ids = itertools.count(1)
        self._waker, self._woken = socket.socketpair()
        self._waker.setblocking(False)
        self._woken.setblocking(False)
        self._is_running = False

    @property
    def workers(self) -> list[Worker]:
        """The workers that have been added and not removed."""
        with self.lock:
            return [worker for worker in self._workers if not worker.is_removed]

    def start(self) -> None:
        """Ask and listen from now on."""
        self._is_running = True
        threading.Thread(target=self._run, name="dockerflow-workers", daemon=True).start()

    def stop(self) -> None:
        """Ask no more, and close the lines."""
        self.wake()
        if self._is_running:
            self._is_running = False
        else:
            self._close()

    def wake(self) -> None:
        """Have the thread look at once."""
        with contextlib.suppress(OSError):
            self._waker.send(b".")

    def add(self, number: int) -> Worker:
        """Open the line to a worker that is about to be forked."""
        end, worker_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        os.set_blocking(end.fileno(), False)
        with self.lock:
            siblings = tuple(worker.end for worker in self._workers)
            worker = Worker(number, end, worker_end, siblings, self.clock.seconds)
            self._workers.append(worker)
        return worker

    def started(self, worker: Worker) -> None:
        """Leave the worker's end to the worker, after the fork."""
        worker.worker_end.close()
        self.wake()

    def stopping(self, worker: Worker) -> None:
        """Note that the worker is told to stop, after what it has said so far."""
        with self.lock:
            self._listen_to(worker)
            worker.stops = True
        self.wake()

    def remove(self, worker: Worker) -> None:
        """Forget a worker that has ended, after its last words."""
        with self.lock:
            self._listen_to(worker)
            worker.is_removed = True
            for question in worker.open.values():
                question.is_over.set()
        self.wake()

    def drain(self) -> None:
        """Have every worker drain: those that are there, and those that are still to come."""
        self.is_draining = True
        with self.lock:
            for worker in self.workers:
                _send(worker, {"is_draining": True})
        self.wake()

    def ask(self, worker: Worker, name: str, **arguments: Any) -> OpenQuestion:
        """Send a question; its answer comes some time, or never."""
        question = OpenQuestion(name, self.clock.seconds)
        with self.lock:
            id_ = next(self._ids)
            worker.open[id_] = question
            if worker.is_removed:
                question.is_over.set()
            _send(worker, {**arguments, "id": id_, "name": name, "is_draining": self.is_draining})
        return question

    def _run(self) -> None:
        while self._is_running:
            self._wait()
            self.clock.tick()
            try:
                self._listen()
                self._close_removed()
                self.on_tick()
            except Exception:
                logger.exception("The workers could not be looked after")
        self._close()

    def _close(self) -> None:
        for worker in self.workers:
            worker.is_removed = True
        self._close_removed()
        self._waker.close()
        self._woken.close()

    def _wait(self) -> None:
        poll = select.poll()
        poll.register(self._woken, select.POLLIN)
        for worker in self.workers:
            if not worker.has_ended_line:
                poll.register(worker.end, select.POLLIN)
        poll.poll(TICK_SECONDS * 1000)
        with contextlib.suppress(BlockingIOError):
            self._woken.recv(4096)

    def _listen(self) -> None:
        for worker in self.workers:
            self._listen_to(worker)

    def _listen_to(self, worker: Worker) -> None:
        with self.lock:
            while not worker.has_ended_line and (data := _receive(worker)):
                self._hear(worker, data)

    def _hear(self, worker: Worker, data: bytes) -> None:
        worker.spoke_at = self.clock.seconds
        try:
            message, body = unpack(data)
        except ValueError:
            logger.warning("Worker %s sent what cannot be read.", worker.number)
            return
        # An answer that was begun before the worker served may come after its word that it does.
        worker.serves = worker.serves or bool(message.get("serves"))
        worker.stops = worker.stops or bool(message.get("stops"))
        if "problem" in message:
            self.problem = worker.problem = str(message["problem"])
        question = worker.open.get(message.get("id", 0))
        if question is not None:
            question.parts.append(body)
            if message.get("is_last"):
                del worker.open[message["id"]]
                question.answer = message
                question.is_over.set()
                worker.answers[question.name] = question

    def _close_removed(self) -> None:
        """Close the lines here, in the one thread that waits for them."""
        with self.lock:
            removed = [worker for worker in self._workers if worker.is_removed]
            self._workers = [worker for worker in self._workers if not worker.is_removed]
            for worker in removed:
                worker.end.close()
                worker.worker_end.close()


def _send(worker: Worker, message: Message) -> None:
    """Send without waiting. One that cannot be sent stays open, as one that is never answered."""
    with contextlib.suppress(OSError):
        os.write(worker.end.fileno(), pack(message))


def _receive(worker: Worker) -> bytes:
    try:
        data = os.read(worker.end.fileno(), MESSAGE_BYTES)
    except BlockingIOError:
        return b""
    except OSError:
        data = b""
    worker.has_ended_line = not data
    return data
