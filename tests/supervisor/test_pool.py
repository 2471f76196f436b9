"""What the pool says and hears on its workers' lines: its thread does not run, the test answers."""

import socket
import time

import pytest

from dockerflow_django.supervisor import pool as module
from dockerflow_django.supervisor.channel import (
    MESSAGE_BYTES,
    PART_BYTES,
    Message,
    unpack,
)
from dockerflow_django.supervisor.known import Worker
from dockerflow_django.supervisor.probes import ContainerProbes
from tests.supervisor.conftest import say, started


def heard(worker: Worker) -> list[Message]:
    """Return the messages that the worker has not read yet."""
    worker.worker_end.setblocking(False)
    messages: list[Message] = []
    while True:
        try:
            messages.append(unpack(worker.worker_end.recv(MESSAGE_BYTES))[0])
        except BlockingIOError:
            return messages


def test_serving_is_for_good(still: ContainerProbes) -> None:
    """An answer that was begun before a worker served takes back nothing when it comes late."""
    worker = still.pool.add(1)
    say(worker, {"serves": True}, {"serves": False, "stops": False, "id": 1})
    still.pool._listen()
    assert worker.is_serving


def test_stopping_is_for_good(still: ContainerProbes) -> None:
    """A worker that says it stops serves no more, whatever it says afterwards."""
    one, two = still.pool.add(1), still.pool.add(2)
    say(one, {"serves": True, "stops": True}, {"serves": True, "stops": False})
    say(two, {"serves": True})
    still.pool._listen()
    assert one.stops
    assert (one.is_serving, two.is_serving) == (False, True)
    still.pool.stopping(two)
    say(two, {"serves": True, "stops": False})
    still.pool._listen()
    assert (two.stops, two.is_serving) == (True, False)


def test_new_worker(still: ContainerProbes) -> None:
    """A worker that has said nothing is known to have been born, and no more."""
    still.pool.clock.seconds = 7.0
    worker = still.pool.add(3)
    assert (worker.number, worker.born_at, worker.spoke_at) == (3, 7.0, None)
    assert (worker.is_serving, worker.stops, worker.problem, worker.pid) == (False, False, "", None)
    still.pool._listen()
    assert worker.spoke_at is None
    still.pool.clock.seconds = 9.0
    say(worker, {})
    still.pool._listen()
    assert worker.spoke_at == 9.0


def test_answer_in_parts(still: ContainerProbes) -> None:
    """An answer is over with its last part, and has the parts of its own question alone."""
    still.pool.clock.seconds = 4.0
    worker = still.pool.add(1)
    question = still.pool.ask(worker, "metrics", accept="a")
    other = still.pool.ask(worker, "readiness")
    assert (question.name, question.asked_at) == ("metrics", 4.0)
    one, two = heard(worker)
    assert one == {"id": one["id"], "name": "metrics", "is_draining": False, "accept": "a"}
    assert two == {"id": two["id"], "name": "readiness", "is_draining": False}
    assert one["id"] != two["id"]
    say(worker, {"id": one["id"]}, body=b"x" * PART_BYTES)
    say(worker, {"serves": True, "is_last": True}, {"id": 99, "is_last": True}, body=b"?")
    still.pool._listen()
    assert (question.answer, question.is_over.is_set()) == (None, False)
    assert worker.answers == {}
    last = {"id": one["id"], "is_last": True, "status": 200}
    say(worker, last, body=b"y")
    still.pool._listen()
    assert (question.answer, question.is_over.is_set()) == (last, True)
    assert question.body == b"x" * PART_BYTES + b"y"
    assert worker.answers == {"metrics": question}
    assert list(worker.open.values()) == [other]
    assert (other.answer, other.is_over.is_set(), other.body) == (None, False, b"")


@pytest.mark.parametrize("words", [b"nonsense", b"[]\n", b"\xff\n"])
def test_words_that_cannot_be_read(
    still: ContainerProbes, caplog: pytest.LogCaptureFixture, words: bytes
) -> None:
    """What a worker says that is no message is a line in the log, and its next word counts."""
    worker = still.pool.add(3)
    worker.worker_end.send(words)
    say(worker, {"serves": True})
    still.pool._listen()
    assert [(each.levelname, each.getMessage()) for each in caplog.records] == [
        ("WARNING", "Worker 3 sent what cannot be read.")
    ]
    assert worker.is_serving


def test_why_a_worker_does_not_serve(still: ContainerProbes) -> None:
    """The last worker's problem is that of the pool."""
    assert still.pool.problem == ""
    for number in (1, 2):
        worker = still.pool.add(number)
        say(worker, {"problem": f"no brain in {number}"}, {})
        still.pool._listen()
        assert worker.problem == still.pool.problem == f"no brain in {number}"


def test_last_words(still: ContainerProbes) -> None:
    """A worker that is removed is heard once more, nobody waits for it, and its line is closed."""
    one, two = still.pool.add(1), still.pool.add(2)
    question = still.pool.ask(one, "version")
    say(one, {"problem": "no brain"})
    still.pool.remove(one)
    assert still.pool.problem == "no brain"
    assert (question.is_over.is_set(), question.answer) == (True, None)
    assert still.pool.workers == [two]
    still.pool._close_removed()
    assert (one.end.fileno(), one.worker_end.fileno()) == (-1, -1)
    assert still.pool.add(3).siblings == (two.end,)
    assert -1 not in (two.end.fileno(), two.worker_end.fileno())


def test_words_before_a_stop(still: ContainerProbes) -> None:
    """What a worker said before it was told to stop is heard."""
    worker = still.pool.add(1)
    say(worker, {"serves": True})
    still.pool.stopping(worker)
    assert worker.serves


def test_drain(still: ContainerProbes) -> None:
    """Every worker is told at once, and with each question."""
    workers = [still.pool.add(number) for number in (1, 2)]
    still.pool.ask(workers[0], "ping")
    still.pool.drain()
    assert still.pool.is_draining is True
    (asked, told), (also_told,) = map(heard, workers)
    assert asked["is_draining"] is False
    assert told == also_told == {"is_draining": True}
    still.pool.ask(still.pool.add(3), "ping")
    (asked,) = heard(still.pool.workers[2])
    assert asked["is_draining"] is True


def test_worker_that_reads_nothing(still: ContainerProbes) -> None:
    """A line that is full holds up nobody: what cannot be sent stays open."""
    worker = still.pool.add(1)
    for _ in range(1500):
        still.pool.ask(worker, "ping")
        still.pool.wake()
    assert len(worker.open) == 1500
    assert 0 < len(heard(worker)) < 1500


def test_end_of_a_line(still: ContainerProbes) -> None:
    """A worker whose end is closed serves no more, after what it has said."""
    worker = still.pool.add(1)
    say(worker, {"serves": True, "problem": "the last"})
    still.pool.started(worker)
    assert worker.worker_end.fileno() == -1
    still.pool._listen()
    assert (worker.problem, worker.has_ended_line, worker.is_serving) == ("the last", True, False)


def test_line_that_is_broken(still: ContainerProbes) -> None:
    """A line that cannot be read has ended."""
    worker = still.pool.add(1)
    worker.serves = True
    worker.end.close()
    still.pool.ask(worker, "ping")
    still.pool._listen()
    assert not worker.is_serving


def test_end_in_a_fork(still: ContainerProbes) -> None:
    """A forked worker keeps its own end alone: not the supervisor's, nor that of any sibling."""
    first, worker = still.pool.add(1), still.pool.add(2)
    with worker.end.dup() as supervisor:
        channel = worker.enter()
        assert (first.end.fileno(), worker.end.fileno()) == (-1, -1)
        channel.notify({"serves": True})
        assert unpack(supervisor.recv(MESSAGE_BYTES)) == ({"serves": True}, b"")


def test_nothing_to_do(still: ContainerProbes) -> None:
    """Where nobody says anything the thread sleeps for a tick, also beside an ended line."""
    ended = still.pool.add(1)
    still.pool.add(2)
    still.pool.started(ended)
    still.pool._listen()
    still.pool._wait()  # somebody has woken it
    began = time.monotonic()
    still.pool._wait()
    assert time.monotonic() - began > 0.8 * module.TICK_SECONDS


@pytest.mark.parametrize("is_woken", [False, True])
def test_something_to_do(
    still: ContainerProbes, monkeypatch: pytest.MonkeyPatch, is_woken: bool
) -> None:
    """A word of a worker and whoever wakes the thread end its sleep, however long it would be."""
    monkeypatch.setattr(module, "TICK_SECONDS", 3600)
    worker = still.pool.add(1)
    if is_woken:
        still.pool.wake()
    else:
        say(worker, {})
    still.pool._wait()


def test_close(still: ContainerProbes) -> None:
    """What has not started is closed by its stop."""
    worker = still.pool.add(1)
    ends: list[socket.socket] = [worker.end, worker.worker_end]
    still.pool.stop()
    ends += [still.pool._waker, still.pool._woken]
    assert [end.fileno() for end in ends] == [-1] * 4
    still.pool.wake()  # goes nowhere, and raises nothing


def test_thread(still: ContainerProbes) -> None:
    """The one thread has a name by which it is found, and the end of the process need not wait."""
    assert started(still.pool.start) == [("dockerflow-workers", True)]
