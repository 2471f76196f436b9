"""Each way in which a task may end leaves exactly one record, with that state, and one count."""

import re
from collections import Counter
from signal import SIGQUIT

import pytest
from celery import chain

from dockerflow_django.context.requests import end_request, start_request
from tests.harness.http import request
from tests.harness.waiting import wait_until
from tests.tasks.celery.workers import MODULE

# What syslog calls them.
INFO, WARNING, ERROR = 6, 4, 3
ENDS = {
    "add": ((1, 2), {}, ["SUCCESS"]),
    "fail": ((), {}, ["FAILURE"]),
    "retry_once": ((), {}, ["RETRY", "SUCCESS"]),
    "retry_never": ((), {}, ["FAILURE"]),
    "reject": ((), {}, ["REJECTED"]),
    "ignore": ((), {}, ["IGNORED"]),
    "too_slow": ((), {}, ["FAILURE"]),
    "tell": (("hello",), {}, ["SUCCESS"]),
    "expired": ((1, 1), {"expires": -1}, ["REVOKED"]),
}
ONLY_IN_PROCESSES = {
    "beyond_hard_limit": ((), {}, ["FAILURE"]),
    "beyond_hard_limit_late": ((), {}, ["FAILURE"]),
    "die": ((), {}, ["LOST"]),
    "die_late": ((), {}, ["LOST"]),
    "leave": ((), {}, ["LOST"]),
    "fail_twice": ((), {}, ["FAILURE"]),
    "fail_badly": ((), {}, ["FAILURE"]),
}
SEVERITIES = {
    "SUCCESS": INFO,
    "RETRY": WARNING,
    "REVOKED": WARNING,
    "REJECTED": WARNING,
    "IGNORED": WARNING,
    "FAILURE": ERROR,
    "LOST": ERROR,
}
POOLS = ["prefork", "threads", "solo"]


def send_all(celeryd, ends):
    ids = {}
    for name, (args, options, _) in ends.items():
        task = "add" if name == "expired" else name
        ids[name] = celeryd.send(task, *args, **options)
    return ids


def states_of(worker, task_id):
    return [each["state"] for each in worker.summaries(task_id)]


def counted(worker):
    """Return what the probe port counts: how many tasks, by the task's own name and its state."""
    text = request(worker.address, path="/__metrics__").body.decode()
    pattern = r'^dockerflow_tasks_total\{state="(\w+)",task="tests\.[\w.]+\.(\w+)"\} (\d+)\.0$'
    return {
        (name, state): int(count) for state, name, count in re.findall(pattern, text, re.MULTILINE)
    }


@pytest.mark.long
@pytest.mark.parametrize("pool", POOLS)
def test_every_end_has_one_record(celeryd, pool):
    """A task has one record for each execution, its level is that of its state, and it counts."""
    ends = ENDS | (ONLY_IN_PROCESSES if pool == "prefork" else {})
    if pool != "prefork":
        del (ends := dict(ends))["too_slow"]  # these pools have no time limits
    with celeryd.worker(f"--pool={pool}", "--concurrency=2") as worker:
        ids = send_all(celeryd, ends)
        wanted = {name: states for name, (_, _, states) in ends.items()}
        for name, states in wanted.items():
            worker.wait_for_summaries(ids[name], len(states), timeout=60)
        # Its main process counts a task when its result has come, which may be a little later.
        expected = Counter(
            ("add" if name == "expired" else name, state)
            for name, states in wanted.items()
            for state in states
        )
        wait_until(lambda: counted(worker) == expected, timeout=60, what="every task counts")
        assert worker.stop().code == 0
        # A retry may be over before the record of the first execution is written.
        assert {name: sorted(states_of(worker, ids[name])) for name in ids} == wanted
        assert all(each["Severity"] == SEVERITIES[each["state"]] for each in worker.summaries())


@pytest.mark.long
def test_rejected_and_queued_again(celeryd):
    """A task that is rejected to be queued again has a record for each time."""
    with celeryd.worker("--concurrency=1") as worker:
        task_id = celeryd.send("reject_and_requeue")
        found = worker.wait_for_summaries(task_id, 2)
        worker.stop()
        assert states_of(worker, task_id) == ["REJECTED", "SUCCESS"]
    assert found[0]["rid"] == found[1]["rid"]


@pytest.mark.long
def test_killed_and_queued_again(celeryd, tmp_path):
    """A task whose child is killed is lost, also if it is queued again, and keeps its id."""
    with celeryd.worker("--concurrency=1") as worker:
        task_id = celeryd.send("die_once", str(tmp_path / "once"))
        lost, success = worker.wait_for_summaries(task_id, 2)
        worker.stop()
        assert states_of(worker, task_id) == ["LOST", "SUCCESS"]
    assert lost["rid"] == success["rid"]
    assert "db_queries" not in lost
    assert "WorkerLostError" in lost["msg"]


@pytest.mark.long
@pytest.mark.parametrize("number", ["SIGTERM", "SIGKILL"])
def test_revoked_while_it_runs(celeryd, number):
    """A task that is revoked with `terminate` is revoked, once, by whatever signal."""
    with celeryd.worker("--concurrency=2") as worker:
        task_id = celeryd.send("patient", "/nonexistent")
        worker.wait_for_line("patient began", timeout=30)
        celeryd.app.control.revoke(task_id, terminate=True, signal=number)
        worker.wait_for_summaries(task_id)
        after = celeryd.send("add", 1, 1)
        worker.wait_for_summaries(after)
        worker.stop()
        assert states_of(worker, task_id) == ["REVOKED"]


@pytest.mark.long
def test_killed_greenlets(celeryd):
    """A greenlet that is killed has one record: revoked, failed by its time limit, or lost.

    One that is revoked without being killed is lost with its worker.
    """
    with celeryd.worker("--pool=gevent", "--concurrency=9") as worker:
        ids = [celeryd.send("patient", "/nonexistent") for _ in range(2)]
        stamp = {"stamped_headers": ["batch"], "batch": "night"}
        ids.append(celeryd.send("patient", "/nonexistent", **stamp))
        wait_until(lambda: str(worker.output).count("patient began") == 3, timeout=30)
        control = celeryd.app.control
        control.revoke(ids[0], terminate=True)
        control.revoke_by_stamped_headers({"batch": "night"}, terminate=True)
        control.revoke(ids[1])
        ids.append(celeryd.send("beyond_hard_limit"))
        for task_id in (ids[0], *ids[2:]):
            worker.wait_for_summaries(task_id)
        wait_until(lambda: sum(counted(worker).values()) == 3, timeout=30)
        assert counted(worker) == {("patient", "REVOKED"): 2, ("beyond_hard_limit", "FAILURE"): 1}
        worker.wait_for_line("flagged as revoked")
        worker.stop(SIGQUIT)
        found = [states_of(worker, each) for each in ids]
    assert found == [["REVOKED"], ["LOST"], ["REVOKED"], ["FAILURE"]]


@pytest.mark.long
def test_revoked_before_it_runs(celeryd, tmp_path):
    """A task that is revoked while it waits is revoked, once; one that runs already is not."""
    with celeryd.worker("--concurrency=1") as worker:
        running = celeryd.send("patient", str(tmp_path / "go"))
        worker.wait_for_line("patient began", timeout=30)
        waiting = celeryd.send("add", 1, 1)
        celeryd.app.control.revoke([running, waiting])
        worker.wait_for_line("revoked", timeout=30)
        (tmp_path / "go").touch()
        worker.wait_for_summaries(waiting)
        worker.wait_for_summaries(running)
        worker.stop()
        assert states_of(worker, waiting) == ["REVOKED"]
        assert states_of(worker, running) == ["SUCCESS"]


@pytest.mark.long
def test_child_of_few_tasks(celeryd):
    """With `max_tasks_per_child` each task has its record, from one child or the next."""
    with celeryd.worker("--concurrency=1", "--max-tasks-per-child=2") as worker:
        ids = [celeryd.send("add", number, 1) for number in range(5)]
        for task_id in ids:
            worker.wait_for_summaries(task_id)
        worker.stop()
        assert [states_of(worker, task_id) for task_id in ids] == [["SUCCESS"]] * 5
        records = worker.records("task.summary")
    assert len({line["Pid"] for line in records}) == 3


@pytest.mark.long
def test_unknown_task_is_no_execution(celeryd):
    """A task that the worker does not know leaves no record and no count."""
    with celeryd.worker("--concurrency=1") as worker:
        celeryd.send("unheard_of")
        known = celeryd.send("add", 1, 1)
        worker.wait_for_summaries(known)
        assert [each["task_id"] for each in worker.summaries()] == [known]
        wait_until(lambda: counted(worker) == {("add", "SUCCESS"): 1}, timeout=30)


@pytest.mark.long
def test_spawned_children(celeryd):
    """Children that are spawned write the same record, and their parent tells what they cannot."""
    celeryd.conf = {"worker_pool_start_method": "spawn"}
    with celeryd.worker("--concurrency=1") as worker:
        ids = [celeryd.send("add", 1, 1), celeryd.send("leave"), celeryd.send("fail")]
        found = [worker.wait_for_summaries(task_id) for task_id in ids]
        worker.stop()
        states = [states_of(worker, task_id) for task_id in ids]
    assert states == [["SUCCESS"], ["LOST"], ["FAILURE"]]
    assert found[2][0]["msg"] == "ValueError: no luck"


@pytest.mark.long
def test_a_topic_exchange(celeryd):
    """The record shows the routing key, and no queue that it might not have come from."""
    queue, key = f"{celeryd.name}-topic", "orders.new"
    with celeryd.worker("--concurrency=1") as worker:
        task_id = celeryd.send("add", 1, 1, queue=queue, routing_key=key)
        (found,) = worker.wait_for_summaries(task_id)
    assert found["routing_key"] == key
    assert "queue" not in found


@pytest.mark.long
def test_what_a_record_holds(celeryd):
    """A record has the queries of the task, its queue and its trace; arguments it has none."""
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    headers = {"dockerflow_rid": "abc", "traceparent": trace}
    with celeryd.worker("--concurrency=1") as worker:
        task_id = celeryd.send("query", 3, headers=headers)
        (found,) = worker.wait_for_summaries(task_id)
    assert found.pop("t") >= found.pop("t_db") >= 0
    assert found == {
        "Severity": INFO,
        "db_queries": 3,
        "queue": celeryd.name,
        "retries": 0,
        "rid": "abc",
        "routing_key": celeryd.name,
        "span_id": "2" * 16,
        "state": "SUCCESS",
        "task": "tests.tasks.celery.project.query",
        "task_id": task_id,
        "trace_id": "1" * 32,
    }


@pytest.mark.long
@pytest.mark.parametrize("protocol", [1, 2])
def test_the_id_travels(celeryd, protocol):
    """The id of a request is that of the tasks that it sends, of their retries and of a chain's."""
    celeryd.app.conf.task_protocol = protocol
    celeryd.conf = {"task_protocol": protocol}
    start_request("abc", None)
    try:
        first = celeryd.app.signature(f"{MODULE}.add", (1, 2))
        result = chain(first, celeryd.app.signature(f"{MODULE}.add", (3,))).apply_async()
        retried = celeryd.send("retry_once")
    finally:
        end_request()
    with celeryd.worker("--concurrency=1") as worker:
        for task_id, count in ((result.parent.id, 1), (result.id, 1), (retried, 2)):
            worker.wait_for_summaries(task_id, count)
        assert [each["rid"] for each in worker.summaries()] == ["abc"] * 4
