"""Runs: side by side, once at a time, within the deadline."""

import asyncio
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from django.core import checks
from django.db import connection
from django.test import override_settings

from dockerflow_django import health
from dockerflow_django.checks.check import Check
from dockerflow_django.checks.connection import allowed_seconds
from dockerflow_django.heartbeat import runner, slots, threads
from dockerflow_django.heartbeat.report import Result
from tests.harness.waiting import wait_until

ERROR = checks.Error("broken", id="shop.E001")


def ok(app_configs, **kwargs):
    return []


def raising(app_configs, **kwargs):
    raise KeyError("secret")


def exiting(app_configs, **kwargs):
    raise SystemExit(3)


def cancelled(app_configs, **kwargs):
    raise asyncio.CancelledError


def interrupted(app_configs, **kwargs):
    raise KeyboardInterrupt


def gather(*functions, **options):
    return runner.gather([Check(function, {}) for function in functions], **options)


def heartbeat_threads(name=""):
    return [t for t in threading.enumerate() if t.name.startswith(f"dockerflow-{name}")]


def join_threads_of(name):
    """Wait until the check's runs have ended; other threads of ours may live on."""
    for thread in heartbeat_threads(name):
        thread.join(5)


def test_results_are_in_order():
    """Each check's result stands where the check stood."""
    results = gather(ok, lambda app_configs: [ERROR])
    assert [result.messages for result in results] == [(), (ERROR,)]
    assert [result.traceback for result in results] == ["", ""]


@pytest.mark.parametrize("ask", ["sync", "async"])
def test_each_check_is_awaited_whatever_the_others_do(hung, configure, ask):
    """One has been answered already, one does not answer, and the third takes its time."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=60)

    def slow(app_configs, **kwargs):
        time.sleep(0.5)
        return []

    runner.gather([Check(ok, {})])
    asked = [Check(ok, {}), hung.as_check(timeout=0.1), Check(slow, {}, timeout=10)]
    found = runner.gather(asked) if ask == "sync" else asyncio.run(runner.agather(asked))
    assert [result.level for result in found] == [0, checks.ERROR, 0]


def test_checks_run_side_by_side(configure):
    """Two checks that need each other at the same time both answer: neither waits for the other."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=10)
    barrier = threading.Barrier(2, timeout=10)

    def first(app_configs, **kwargs):
        barrier.wait()
        return []

    def second(app_configs, **kwargs):
        barrier.wait()
        return []

    assert [result.level for result in gather(first, second)] == [0, 0]


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (raising, "KeyError"),
        (exiting, "SystemExit"),
        (cancelled, "CancelledError"),
        (interrupted, "KeyboardInterrupt"),
    ],
)
def test_raising_is_a_critical_message(function, name):
    """D2, D19: whatever a check raises is its answer, naming the class alone; the others go on."""
    broken, other = gather(function, ok)
    (message,) = broken.messages
    assert message.level == checks.CRITICAL
    assert message.id == health.CRITICAL_CHECK_RAISED
    assert message.msg == f"The check raised {name}."
    assert name in broken.traceback
    assert other.level == 0


def message_of_level(level):
    message = checks.Error("odd")
    message.level = level  # Django asserts what it is made with, but not under `python -O`
    return message


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (None, "NoneType"),
        (7, "int"),
        (False, "bool"),
        (["text"], "str"),
        ([None], "NoneType"),
        ("text", "str"),
        ([message_of_level("high")], "Error"),
        ([message_of_level(None)], "Error"),
    ],
)
def test_nonsense_is_a_critical_message(answer, kind):
    """A check that does not return a list of check messages is told what it returned."""
    (result,) = gather(lambda app_configs: answer)
    (message,) = result.messages
    assert message.level == checks.CRITICAL
    assert message.id == health.CRITICAL_CHECK_ANSWERED_NONSENSE
    assert message.msg.endswith(f", a {kind}.")
    assert "a list of django.core.checks.CheckMessage" in message.hint


def test_message_that_is_not_in_a_list_is_heard():
    """What a check has to say counts more than its form."""
    assert gather(lambda app_configs: ERROR)[0].messages == (ERROR,)


def test_text_that_raises_is_a_critical_message():
    """A lazy text that cannot be made a string is the check's fault, not the answer's."""

    class Lazy:
        def __str__(self):
            raise LookupError

    (result,) = gather(lambda app_configs: [checks.Error(Lazy())])
    assert result.messages[0].id == health.CRITICAL_CHECK_RAISED


def test_generator_is_run_to_its_end():
    """A check may yield its messages, and raise on the way."""

    def yielding(app_configs):
        yield ERROR
        raise ValueError

    (result,) = gather(yielding)
    assert result.messages[0].id == health.CRITICAL_CHECK_RAISED


def test_hung_check_is_an_error_within_its_timeout(hung, configure):
    """D20: a check that does not answer costs its timeout and no more, and the answer says so."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=0.1)
    began = time.monotonic()
    (result, other) = runner.gather([hung.as_check(), Check(ok, {})], 0.1)
    assert time.monotonic() - began < 10  # it hangs for ever
    assert result.level == checks.ERROR
    assert result.messages[0].id == health.ERROR_CHECK_TIMED_OUT
    assert result.messages[0].msg.startswith("No answer within 0.1 s, still running after 0.")
    assert 0.1 <= result.duration_seconds < 10
    assert result.run > 0
    assert other.level == 0


def test_stuck_waits_end_once_a_check_is_overdue(hung, configure, monkeypatch):
    """Neither a result that is reused nor a run that has just begun in the background ends any."""
    ended = []
    monkeypatch.setattr(runner, "end_stuck_waits", lambda: ended.append("waits"))
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    for _ in range(2):
        gather(ok)
    runner.gather([hung.as_check(timeout=60)], cap_seconds=1)
    assert ended == []
    runner.gather([hung.as_check(timeout=0.1)], cap_seconds=1)
    assert ended == ["waits"]


def test_run_may_take_the_most_that_any_listing_of_its_check_allows():
    """That is how long it may wait for a database."""
    allowed = []

    def ask(app_configs):
        allowed.append(allowed_seconds.get())
        return []

    for timeout in (7, 3, None):
        runner.gather([Check(ask, {}, timeout=timeout)], fresh=True)
    assert allowed == [7, 7, 10]


def test_overdue_check_has_one_run_and_one_thread(hung, configure):
    """D20: a hundred more heartbeats start nothing and are answered at once."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=0.1)
    check = hung.as_check()
    runner.gather([check], 0.1)
    began = time.monotonic()
    for _ in range(100):
        (result,) = runner.gather([check], 0.1)
        assert "still running after" in result.messages[0].msg
    assert time.monotonic() - began < 5  # a hundred timeouts are ten seconds
    assert hung.runs == 1
    assert [t.name for t in heartbeat_threads()].count("dockerflow-counted") == 1


def test_run_that_ends_late_is_followed_by_another(hung, configure):
    """Once the hung run has ended the check is well again."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=5, DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    check = hung.as_check(timeout=0.05)
    assert runner.gather([check])[0].level == checks.ERROR
    hung.gate.set()
    join_threads_of("counted")
    assert runner.gather([hung.as_check(timeout=10)])[0].level == 0
    assert hung.runs == 2


def test_concurrent_heartbeats_share_one_run(hung):
    """Twenty that ask while a run is under way get its answer, and it ran once."""
    check = hung.as_check(timeout=10)
    with ThreadPoolExecutor(20) as pool:
        futures = [pool.submit(runner.gather, [check]) for _ in range(20)]
        assert hung.began.wait(5)
        hung.gate.set()
        assert {future.result()[0].run for future in futures} == {1} or hung.runs == 1
    assert hung.runs == 1


@pytest.mark.parametrize(("max_age", "runs"), [(60, 1), (0, 3)])
def test_young_result_is_reused(counted, configure, max_age, runs):
    """A result younger than DOCKERFLOW_HEARTBEAT_MAX_AGE is the answer; with 0 none is reused."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=max_age)
    for _ in range(3):
        runner.gather([counted.as_check()])
    assert counted.runs == runs


def test_one_timer_for_a_check_that_is_asked_in_two_ways(configure):
    """A check that one probe has run in the background and another asks itself has one timer."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=1, DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    in_background, asked = Check(ok, {}, timeout=5, every=60), Check(ok, {})
    for check in (in_background, asked, in_background, asked):
        runner.gather([check], cap_seconds=1)

    def timers():
        return [thread for thread in heartbeat_threads() if thread.name == "dockerflow-next-ok"]

    wait_until(lambda: len(timers()) == 1)
    assert timers()[0].daemon


def test_background_goes_on_in_a_test_that_asks_once(configure):
    """As long as somebody may ask again: for its period, its timeout and a little more."""
    runs = []
    check = Check(lambda app_configs: runs.append(1) or [], {}, timeout=60, every=0.1)
    runner.gather([check], cap_seconds=1)
    wait_until(lambda: len(runs) >= 3)


def test_timer_that_cannot_start_is_replaced_by_the_next_heartbeat(counted, monkeypatch):
    """At the limit of threads the background waits for somebody who asks."""

    def refuse(timer):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Timer, "start", refuse)
    check = counted.as_check(timeout=60, every=60)
    for runs in (1, 2):
        runner.gather([check], cap_seconds=1)
        wait_until(lambda runs=runs: slots.slot_of(check).run is None and counted.runs == runs)


def test_answer_of_the_background_counts_until_the_next_should_have_come(counted, monkeypatch):
    """For its period, its timeout, and what is granted beside."""
    monkeypatch.setattr(slots, "GRACE_SECONDS", 100)
    check = counted.as_check(timeout=60, every=60)
    runner.gather([check], cap_seconds=1)
    slot = slots.slot_of(check)
    wait_until(lambda: slot.last is not None)
    for age, level in ((170, 0), (230, checks.ERROR)):
        slot.first_asked = time.monotonic() - 300
        slot.last = replace(slot.last, answered_at=time.monotonic() - age)
        assert runner.gather([check], cap_seconds=1)[0].level == level
    assert counted.runs == 1


def test_timer_of_a_check_that_is_forgotten_begins_nothing(counted):
    """It may have fired while everything was reset."""
    slot = slots.slot_of(counted.as_check(timeout=60))
    slot.last_asked, slot.patience_seconds = slots.now(), 60
    slots.reset()
    slots._continue(slot)
    assert (slot.run, counted.runs) == (None, 0)


def test_timer_begins_nothing_once_a_test_asks_no_more(counted):
    """A test that is over leaves nothing behind that asks the test's database."""
    check = counted.as_check(timeout=60, every=60)
    runner.gather([check], cap_seconds=1)
    slot = slots.slot_of(check)
    wait_until(lambda: slot.last is not None)
    timer, slot.timer = slot.timer, None
    timer.cancel()
    slot.last_asked -= 60 + 60 + slots.GRACE_SECONDS + 0.1
    slots._continue(slot)
    assert (slot.run, counted.runs) == (None, 1)
    slot.last_asked = slots.now() - 60 - 60
    slots._continue(slot)
    wait_until(lambda: counted.runs == 2)


def test_answer_at_the_last_moment_is_in_time(configure):
    """All the time that a check has is allowed, and no more."""
    configure(DOCKERFLOW_CHECK_TIMEOUT=5)
    check = Check(ok, {})
    assert runner._with_options(check, Result((), 5.0, 1)).level == 0
    assert runner._with_options(check, Result((), 5.5, 1)).level == checks.ERROR


def test_every_is_the_checks_own_age(counted, configure):
    """A check's own `every` counts, not the setting."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    for _ in range(3):
        runner.gather([counted.as_check(every=60)])
    assert counted.runs == 1


def test_fresh_reuses_nothing(counted, configure):
    """Who asks for fresh results gets them whatever the age."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    for _ in range(3):
        runner.gather([counted.as_check()], fresh=True)
    assert counted.runs == 3


@pytest.mark.parametrize("ask", ["sync", "async"])
def test_last_answer_is_not_that_of_a_check_that_hangs_now(counted, configure, monkeypatch, ask):
    """A clock that wakes the heartbeat a moment early, as uvloop's does, hides no hung check."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=0)

    def gathered(timeout):
        check = counted.as_check(timeout=timeout)
        if ask == "sync":
            return runner.gather([check])[0]
        return asyncio.run(runner.agather([check]))[0]

    assert gathered(10).level == 0
    counted.gate.clear()
    remaining = runner.Run.remaining
    monkeypatch.setattr(runner.Run, "remaining", lambda *args: remaining(*args) - 0.05)
    assert gathered(0.2).messages[0].id == health.ERROR_CHECK_TIMED_OUT


def test_absurd_timeout_is_awaited():
    """A timeout longer than the system's clock can count is no error."""

    def slow(app_configs):
        time.sleep(0.05)
        return []

    assert runner.gather([Check(slow, {}, timeout=1e300)])[0].level == 0


def test_thread_that_cannot_start_is_a_critical_message(monkeypatch):
    """At the limit of threads the heartbeat says so, and tries again next time."""

    def refuse(function, *, name):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threads, "start", refuse)
    (message,) = gather(ok)[0].messages
    assert message.id == health.CRITICAL_CHECK_RAISED
    assert message.msg == "The check raised RuntimeError."
    monkeypatch.undo()
    with override_settings(DOCKERFLOW_HEARTBEAT_MAX_AGE=0):
        assert gather(ok)[0].level == 0


def test_check_thread_is_a_daemon_with_an_empty_context():
    """A run is shared, so no request's id is in it, and it never delays the process's exit."""
    from dockerflow_django.context import current_rid, request_id_context

    seen = {}

    def look(app_configs, **kwargs):
        seen["rid"] = current_rid()
        seen["daemon"] = threading.current_thread().daemon
        return []

    token = request_id_context.set("request-1")
    try:
        gather(look)
    finally:
        request_id_context.reset(token)
    assert seen == {"rid": None, "daemon": True}


async def test_async_waiting_never_blocks_the_loop(hung):
    """While a heartbeat waits for a hung check the event loop turns."""
    waiting = asyncio.create_task(runner.agather([hung.as_check(timeout=10)]))
    assert await asyncio.to_thread(hung.began.wait, 5)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not waiting.done()
    hung.gate.set()
    (result,) = await waiting
    assert result.level == 0


async def test_async_results_are_shared_and_reused(counted, configure):
    """A hundred at once under an event loop are one run."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    check = counted.as_check(timeout=5)
    answers = await asyncio.gather(*(runner.agather([check]) for _ in range(100)))
    assert {result.level for (result,) in answers} == {0}
    assert counted.runs == 1


async def test_cancelling_a_waiter_leaves_the_run_alone(hung):
    """A client that hangs up is passed on as cancellation, and the others get their answer."""
    check = hung.as_check(timeout=10)
    leaver = asyncio.create_task(runner.agather([check]))
    stayer = asyncio.create_task(runner.agather([check]))
    await asyncio.to_thread(hung.began.wait, 5)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    hung.gate.set()
    assert (await stayer)[0].level == 0
    assert hung.runs == 1


async def test_overdue_answers_at_once_under_an_event_loop(hung):
    """Until its timeout the run is awaited, and by nobody any more past that."""
    check = hung.as_check(timeout=0.1)
    (result,) = await runner.agather([check])
    assert result.duration_seconds >= 0.09
    (result,) = await runner.agather([check])
    assert "still running" in result.messages[0].msg


def test_async_check_is_awaited():
    """A check may be a coroutine function."""

    async def check(app_configs, **kwargs):
        await asyncio.sleep(0)
        return [ERROR]

    assert gather(check)[0].messages == (ERROR,)


def test_async_check_that_hangs_is_overdue():
    """An async check that never answers is an error like any other."""
    released = threading.Event()

    async def check(app_configs, **kwargs):
        while not released.is_set():  # noqa: ASYNC110 - a thread sets it
            await asyncio.sleep(0.01)
        return []

    (result,) = runner.gather([Check(check, {}, timeout=0.05)])
    assert result.messages[0].id == health.ERROR_CHECK_TIMED_OUT
    released.set()
    join_threads_of("check")


@pytest.mark.django_db(transaction=True)
def test_threads_connections_are_closed_at_the_end_of_a_run():
    """A project's own check that uses the ORM leaves no connection behind, sync or async."""
    from asgiref.sync import sync_to_async
    from django.contrib.auth.models import User
    from django.db import connections

    seen = []

    def sync_check(app_configs, **kwargs):
        User.objects.count()
        seen.append(connections["default"])
        return []

    async def async_check(app_configs, **kwargs):
        await User.objects.acount()
        seen.append(await sync_to_async(lambda: connections["default"])())
        return []

    results = gather(sync_check, async_check, cap_seconds=10)
    assert [result.messages for result in results] == [(), ()]
    assert len(seen) == 2
    assert all(each is not connection and each.connection is None for each in seen)


def test_here_runs_in_this_thread_one_after_another():
    """Inside a transaction the checks see what the caller sees, async ones too."""
    seen = []

    def sync_check(app_configs, **kwargs):
        seen.append(threading.current_thread())
        return [ERROR]

    async def async_check(app_configs, **kwargs):
        from asgiref.sync import sync_to_async

        seen.append(await sync_to_async(threading.current_thread)())
        return []

    options = {"timeout": 5, "fail_level": checks.CRITICAL, "once": True}
    results = runner.gather_here([Check(sync_check, {}, **options), Check(async_check, {})])
    assert [result.messages for result in results] == [(ERROR,), ()]
    first = results[0]
    assert (first.timeout_seconds, first.fail_level, first.once) == (5, checks.CRITICAL, True)
    assert seen == [threading.current_thread()] * 2


def test_here_raising_is_an_answer_and_an_interrupt_is_passed_on():
    """Ctrl+C stops the command that asked; everything else is the check's answer."""
    (result,) = runner.gather_here([Check(exiting, {})])
    assert result.messages[0].id == health.CRITICAL_CHECK_RAISED
    with pytest.raises(KeyboardInterrupt):
        runner.gather_here([Check(interrupted, {})])


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_forked_child_does_not_wait_for_the_parents_run(hung):
    """A run begun before a fork is the parent's: the child begins its own and gets its answer."""
    check = hung.as_check(timeout=5)
    runner.gather([check], 0.01)
    child = os.fork()
    if child == 0:  # pragma: no cover - coverage does not follow the child
        hung.gate.set()
        (result,) = runner.gather([check])
        os._exit(result.level)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert hung.runs == 1
