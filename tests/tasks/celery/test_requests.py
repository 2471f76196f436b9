"""The worker's main process tells each end of a task once, whatever class the project has."""

import logging
import threading
import time
from types import SimpleNamespace
from typing import ClassVar

import pytest
from billiard.einfo import ExceptionInfo
from billiard.pool import MaybeEncodingError
from celery import Celery, Task
from celery.app.trace import build_tracer
from celery.concurrency.base import BasePool
from celery.exceptions import Ignore, Reject, Retry, Terminated, WorkerLostError
from celery.worker.request import Request
from gevent import GreenletExit

from dockerflow_django.celery import instrument
from dockerflow_django.context import current_rid
from dockerflow_django.context.tasks import current_task
from dockerflow_django.tasks import record
from dockerflow_django.tasks.celery import execution, requests
from tests.harness.waiting import wait_until

app = Celery("requests", broker="memory://", set_as_current=False, fixups=[])
instrument(app)
counted = []


def count(task, state, seconds):
    counted.append((task, state, seconds is not None))


class Own(Request):
    """A project's own class; it notes in whose context Celery calls it."""

    calls: ClassVar[list] = []

    def on_success(self, failed__retval__runtime, **kwargs):
        self.calls.append("success")

    def on_failure(self, exc_info, send_failed_event=True, return_ok=False):
        self.calls.append((current_rid(), current_task().task_id))

    def on_timeout(self, soft, timeout):
        self.calls.append(("soft" if soft else "hard", current_rid()))


@app.task(name="own", shared=False, Request=Own)
def own():
    """Has a class of its own."""


class Unforgiving(Task):
    """Fails again when it is told of its failure."""

    def on_failure(self, *args):
        raise self.error


@app.task(name="fails twice", shared=False, base=Unforgiving)
def fails_twice():
    raise ValueError("the first")


@app.task(name="plain", shared=False)
def plain():
    """Has Celery's class, by its name."""


requests.observe_tasks(app, count, in_greenlets=False)


@pytest.fixture(autouse=True)
def fresh():
    counted.clear()
    Own.calls.clear()


def make(task=own, **given):
    message = SimpleNamespace(
        headers={"id": "1", "task": task.name, "dockerflow_rid": "abc", **given},
        body=((), {}, {}),
        payload=((), {}, {}),
        content_type=None,
        content_encoding=None,
        delivery_info={"exchange": "", "routing_key": "celery"},
        properties={},
    )
    return task.Request(message, app=app, task=task, decoded=True)


def info_of(error):
    try:
        raise_it(error)
    except BaseException:
        return ExceptionInfo()


def raise_it(error):
    raise error


def test_the_project_s_class_is_extended():
    """What the project has stays below; a second call changes nothing."""
    assert issubclass(own.Request, Own)
    assert issubclass(plain.Request, Request)
    before = own.Request
    requests.observe_tasks(app, count, in_greenlets=False)
    assert own.Request is before


def test_no_name_hides_one_of_celery_s():
    """Only what is extended bears a name that Celery's class has, private ones included."""
    ours = {name for name in vars(requests.ObservedRequest) if not name.startswith("__")}
    theirs = {*dir(Request), *vars(make(plain))}
    assert ours & theirs == {
        *("on_accepted", "on_success", "on_failure", "on_timeout", "revoked", "terminate", "cancel")
    }


def test_the_subclass_that_celery_makes():
    """Celery writes an `on_success` of its own for each task: it tells of the end as well."""

    class Made(own.Request):
        def on_success(self, failed__retval__runtime, **kwargs):
            self.calls.append("made")

    request = Made.__new__(Made)
    request.__dict__.update(make().__dict__)
    request._task = own
    request.on_success((0, "3", 0.1))
    assert counted == [("own", "SUCCESS", False)]
    assert Own.calls == ["made"]


@pytest.mark.parametrize(
    ("result", "states"),
    [
        ((0, "3", 0.1), ["SUCCESS"]),
        ((0, None, None), []),
        (info_of(SystemExit()), ["FAILURE"]),
        ((False, None, None), ["LOST"]),
    ],
    ids=["success", "had succeeded before", "exit in a pool of threads", "killed greenlet"],
)
def test_success(result, states, records):
    """What the child has written is counted; what did not run is not."""
    make().on_success(result)
    assert [state for _, state, _ in counted] == states
    assert Own.calls == ["success"]
    assert records() == []


@pytest.mark.parametrize(
    ("error", "state"),
    [
        (ValueError("no"), "FAILURE"),
        (Retry("again"), "RETRY"),
        (Ignore(), "IGNORED"),
        (Reject("no"), "REJECTED"),
    ],
)
def test_what_the_child_has_raised(error, state, records):
    """It is counted; the child has written the record."""
    make().on_failure(info_of(error), return_ok=True)
    assert [state for _, state, _ in counted] == [state]
    assert records() == []


@pytest.mark.parametrize(
    ("error", "state", "level"),
    [
        (WorkerLostError("signal 9"), "LOST", logging.ERROR),
        (SystemExit(0), "LOST", logging.ERROR),
        (Terminated(15), "REVOKED", logging.WARNING),
        (ValueError("the message cannot be read"), "FAILURE", logging.ERROR),
        (MaybeEncodingError("no pickle", "<BaseException>"), "FAILURE", logging.ERROR),
    ],
)
def test_what_the_child_cannot_tell(error, state, level, records):
    """It is counted and written here, once, with the id of the task."""
    request = make(retries=2, traceparent=f"00-{'1' * 32}-{'2' * 16}-01")
    request.on_failure(info_of(error))
    request.on_failure(info_of(error))
    (found,) = records()
    assert (found.state, found.levelno, found.rid) == (state, level, "abc")
    assert (found.retries, found.t, found.trace_id) == (2, 0, "1" * 32)
    assert (found.queue, found.routing_key) == ("celery", "celery")
    assert found.getMessage() == (record.describe(error) if level == logging.ERROR else "")
    assert counted == [("own", state, False)]


@pytest.mark.filterwarnings("ignore:Exception raised outside body:RuntimeWarning")
@pytest.mark.parametrize("error", [ValueError("again"), Reject("late"), MemoryError()])
def test_raised_after_the_record(error, records, monkeypatch):
    """What a child raises once more after the task has one record: the child's own."""
    monkeypatch.setattr(Unforgiving, "error", error, raising=False)
    trace = build_tracer(fails_twice.name, fails_twice, app=app)
    with pytest.raises(type(error)) as raised:
        trace("1", (), {})
    assert len(records()) == 1
    make().on_failure(ExceptionInfo(raised._excinfo))
    assert len(records()) == 1
    assert len(counted) == 1


def accepted(seconds_ago=0.0, task=own):
    """Return the request of a task that a child has begun."""
    request = make(task)
    request.message.ack = request.message.ack_log_error = lambda *args, **kwargs: None
    request.on_accepted(1, time.monotonic() - seconds_ago)
    return request


@pytest.mark.parametrize("seconds", [-86400, 86400])
def test_the_date_is_set_meanwhile(seconds, records, monkeypatch):
    """How long a lost task took is told by a clock that nobody sets."""
    request = accepted(seconds_ago=2.0)
    later = time.time() + seconds
    monkeypatch.setattr("time.time", lambda: later)
    request.on_failure(info_of(WorkerLostError("killed")))
    assert 2000 <= records()[0].t < 60000


class Pool:
    """A pool of processes, of which one runs a task that is to be killed."""

    def __init__(self, on_kill=lambda: None):
        self.killed = []
        self._on_kill = on_kill

    def terminate_job(self, pid, signal=None):
        self.killed.append(pid)
        self._on_kill()


@pytest.mark.parametrize(
    ("end", "state"), [(plain.Request.terminate, "REVOKED"), (plain.Request.cancel, "LOST")]
)
def test_killed_before_and_after_it_has_begun(end, state, records, monkeypatch):
    """A task that no child has begun is told of later; one that runs is told of soon."""
    monkeypatch.setattr(requests, "RESULT_SECONDS", 0)
    pool = Pool()
    waiting = make(plain)
    end(waiting, pool)
    assert (pool.killed, waiting.ending, counted) == ([], None, [])
    end(running(), pool)
    assert pool.killed == [12]
    wait_until(records)
    assert [each.state for each in records()] == [state]
    assert counted == [("plain", state, True)]


def running():
    """Return the request of a task that runs in a child."""
    found = accepted(task=plain)
    found.time_start, found.worker_pid = time.time(), 12
    return found


@pytest.mark.parametrize(
    ("tell", "state", "written"),
    [
        (lambda request: request.on_success((0, "3", 0.1)), "SUCCESS", []),
        (lambda request: request.on_failure(info_of(Terminated(3))), "LOST", ["LOST"]),
    ],
)
def test_a_result_on_its_way(tell, state, written, records):
    """A task that the worker has killed when it had ended already is not lost."""
    request = running()
    request.cancel(Pool())
    tell(request)
    request.lost_timer.join()
    assert [each.state for each in records()] == written
    assert counted == [("plain", state, True)]


@pytest.mark.parametrize(
    ("end", "state"), [(plain.Request.terminate, "REVOKED"), (plain.Request.cancel, "LOST")]
)
def test_the_end_comes_during_the_kill(end, state, records):
    """What the worker kills a task for holds from before the kill; nobody waits after it."""
    request = running()
    end(request, Pool(lambda: request.on_failure(info_of(Terminated(3)))))
    assert request.lost_timer is None
    assert [each.state for each in records()] == [state]
    assert counted == [("plain", state, True)]


def test_a_backend_that_fails_during_the_kill(records, monkeypatch):
    """The task is lost although Celery cannot tell its backend."""
    monkeypatch.setattr(requests, "RESULT_SECONDS", 0)
    monkeypatch.setattr(plain.backend, "mark_as_retry", lambda *args, **kwargs: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        running().cancel(Pool())
    wait_until(records)
    assert [each.state for each in records()] == ["LOST"]


def test_no_thread_to_wait_in(records, monkeypatch):
    """The task is lost at once: whoever handles a signal is to go on."""

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    running().cancel(Pool())
    assert [each.state for each in records()] == ["LOST"]


@pytest.mark.parametrize("end", [plain.Request.terminate, plain.Request.cancel])
def test_a_pool_that_cannot_kill(end, records):
    """A thread goes on with its task, and tells its end."""
    request = running()
    with pytest.raises(NotImplementedError):
        end(request, BasePool())
    assert (request.ending, request.lost_timer) == (None, None)


def test_ended_in_two_threads():
    """A task ends once, whoever tells it at the same time."""
    request = running()
    barrier = threading.Barrier(8)

    def end():
        barrier.wait()
        request.end(record.LOST)

    threads = [threading.Thread(target=end) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counted == [("plain", "LOST", True)]


@pytest.mark.parametrize(
    ("end", "state"), [(plain.Request.terminate, "REVOKED"), (plain.Request.cancel, "LOST")]
)
def test_a_greenlet_that_the_worker_kills(end, state, records, monkeypatch):
    """It counts at once, although its own exit may come in between, and it writes its record."""
    monkeypatch.setattr(plain.Request, "in_greenlets", True)
    request = running()

    def leave():
        raise GreenletExit

    with pytest.raises(GreenletExit):
        end(request, Pool(leave))
    assert execution.killed["1"].verdict == state
    request.on_success((False, None, None))
    assert counted == [("plain", state, True)]
    assert records() == []


def test_killed_greenlets(records, monkeypatch):
    """A greenlet that has begun its task writes the record itself; before, nobody else does."""
    monkeypatch.setattr(own.Request, "in_greenlets", True)
    accepted().end(record.REVOKED)
    assert records() == []
    make().end(record.REVOKED)
    assert [each.state for each in records()] == ["REVOKED"]
    assert [state for _, state, _ in counted] == ["REVOKED", "REVOKED"]


def test_the_hard_time_limit(records):
    """Celery tells of it twice: it is one failure."""
    request = accepted()
    request.on_timeout(True, 1)
    assert counted == []
    request.on_timeout(False, 2)
    request.on_failure(info_of(WorkerLostError("killed")))
    assert [each.state for each in records()] == ["FAILURE"]
    assert records()[0].getMessage().startswith("TimeLimitExceeded")
    assert counted == [("own", "FAILURE", True)]


def test_what_celery_does_has_the_id():
    """Celery's own lines about the task, and what it sends, have the id of the task."""
    make().on_failure(info_of(ValueError()), return_ok=True)
    make().on_timeout(False, 2)
    assert Own.calls == [("abc", "1"), ("hard", "abc")]
    assert (current_rid(), current_task()) == (None, None)


def test_nobody_reads(caplog, records):
    """A logger that is switched off costs no record; the task counts."""
    caplog.set_level(logging.CRITICAL, record.SUMMARY_LOGGER)
    make().on_failure(info_of(SystemExit()))
    assert records() == []
    assert len(counted) == 1
