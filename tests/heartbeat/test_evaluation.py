"""One evaluation of a probe: which checks, what fails it, and the signals."""

import asyncio
import re
import threading
import time

import pytest
from django.core import checks
from django.db import transaction
from django.test import override_settings
from django.urls import get_resolver

from dockerflow_django import health, lifecycle
from dockerflow_django.checks import register
from dockerflow_django.heartbeat import evaluation
from dockerflow_django.heartbeat.evaluation import aevaluate, evaluate
from dockerflow_django.testing import replace_check
from tests.harness.waiting import wait_until

MIGRATIONS = "dockerflow_django.checks.check_migrations_applied"
ERROR = checks.Error("broken", id="shop.E001")
WARNING = checks.Warning("hm", id="shop.W001")


@pytest.fixture
def production(monkeypatch):
    """Pretend that no test environment is set up, so that the event loop itself evaluates."""
    monkeypatch.setattr(evaluation, "is_testing", lambda: False)


@pytest.fixture(params=["sync", "async"])
def evaluated(request, production):
    """Evaluate in both worlds."""
    if request.param == "sync":
        return evaluate
    return lambda probe="heartbeat": asyncio.run(aevaluate(probe))


@pytest.mark.parametrize(
    ("fail_level", "message", "passed"),
    [
        ("WARNING", WARNING, False),
        ("WARNING", checks.Info("news"), True),
        ("ERROR", WARNING, True),
        ("ERROR", ERROR, False),
    ],
)
def test_heartbeat_fails_from_the_level_of_the_setting(
    evaluated, configure, counted, fail_level, message, passed
):
    """D5: DOCKERFLOW_HEARTBEAT_FAIL_LEVEL decides; by default a warning fails."""
    counted.messages = [message]
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_FAIL_LEVEL=fail_level)
    assert evaluated().passed is passed


@pytest.mark.parametrize("probe", ["liveness", "readiness", "startup"])
@pytest.mark.parametrize(("message", "passed"), [(WARNING, True), (ERROR, False)])
def test_probe_fails_from_error(evaluated, configure, counted, probe, message, passed):
    """A probe's outcome does not depend on the heartbeat's level."""
    counted.messages = [message]
    configure(DOCKERFLOW_PROBES={probe: [counted]})
    assert evaluated(probe).passed is passed


def test_probe_named_in_the_setting_runs_exactly_its_checks(evaluated, configure, counted):
    """DOCKERFLOW_PROBES replaces the default and what is registered."""
    configure(DOCKERFLOW_PROBES={"readiness": [counted]})
    register(lambda app_configs: [ERROR], "readiness")
    report = evaluated("readiness")
    assert list(report.results) == ["counted"]
    assert report.passed


def test_liveness_asks_nothing(evaluated, configure, counted):
    """By default liveness runs no check, whatever the heartbeat has."""
    counted.messages = [ERROR]
    configure(DOCKERFLOW_CHECKS=[counted])
    assert evaluated("liveness").passed
    assert counted.runs == 0


def test_readiness_waits_until_migrations_have_been_applied_once(evaluated, configure):
    """By default an unapplied migration, a warning, keeps the process unready."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    with replace_check(MIGRATIONS, WARNING):
        assert not evaluated("readiness").passed
    with replace_check(MIGRATIONS, checks.Info("no database")):
        assert not evaluated("readiness").passed
    with replace_check(MIGRATIONS):
        assert evaluated("readiness").passed
        assert evaluated("readiness").passed


def test_urlconf_that_is_still_being_imported_is_told_by_starting(
    evaluated, configure, monkeypatch
):
    """It is no error yet that an import takes longer than a probe waits."""
    gate = threading.Event()
    monkeypatch.setattr(evaluation, "get_resolver", lambda: gate.wait(30) and get_resolver())
    configure(DOCKERFLOW_PROBES={"readiness": []}, DOCKERFLOW_CHECK_TIMEOUT=0.1)
    report = evaluated("readiness")
    gate.set()
    assert [m.id for m in report.results["lifecycle"].messages] == [health.INFO_STARTING]
    assert not report.passed


def test_readiness_asks_for_migrations_no_more_once_they_were_applied(configure, counted):
    """Readiness holds: an outage of the shared database takes no instance out."""
    configure(DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    from dockerflow_django.checks import functions

    functions.replacements[MIGRATIONS] = counted
    try:
        for _ in range(3):
            assert evaluate("readiness").passed
        counted.messages = [ERROR]
        assert evaluate("readiness").passed
    finally:
        del functions.replacements[MIGRATIONS]
    assert counted.runs == 1


def test_starting_ends_when_the_startup_checks_have_passed_once(evaluated, configure, counted):
    """Readiness runs the startup checks of a process that is starting: no probe needs another."""
    counted.messages = [ERROR]
    configure(
        DOCKERFLOW_PROBES={"startup": [counted], "readiness": []}, DOCKERFLOW_HEARTBEAT_MAX_AGE=0
    )
    report = evaluated("readiness")
    assert not report.passed
    assert report.payload(details=True)["status"] == "info"
    assert [m.id for m in report.results["lifecycle"].messages] == [health.INFO_STARTING]
    assert evaluated("liveness").passed
    assert not evaluated("readiness").passed  # the other probe ends no starting
    counted.messages = []
    assert evaluated("readiness").passed
    runs = counted.runs
    assert evaluated("readiness").passed
    assert counted.runs == runs


def test_startup_passes_with_its_checks(evaluated, configure, counted):
    """The startup probe itself ends the starting."""
    configure(DOCKERFLOW_PROBES={"startup": [counted]}, DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    counted.messages = [ERROR]
    assert not evaluated("startup").passed
    counted.messages = []
    assert evaluated("startup").passed
    assert lifecycle.process.has_started


@pytest.mark.parametrize("urlconf", ["tests.checks.broken_module", "shop.urls"])
def test_urlconf_that_cannot_be_imported_is_neither_started_nor_ready(
    evaluated, configure, urlconf, caplog
):
    """Every request would fail; liveness asks nothing, and a restart would mend nothing."""
    configure(ROOT_URLCONF=urlconf, DOCKERFLOW_PROBES={"readiness": []})
    for probe in ("readiness", "startup"):
        report = evaluated(probe)
        ids = [message.id for message in report.results["lifecycle"].messages]
        assert ids == [health.INFO_STARTING, health.ERROR_URLCONF_NOT_IMPORTABLE]
        said = report.results["lifecycle"].messages[1].msg
        assert re.fullmatch(r"The URLconf cannot be imported \(\w+Error\)\.", said)
        assert not report.passed
    assert evaluated("liveness").passed
    assert re.search(r"imported \(\w+Error\)\. \(\w+Error: ", caplog.text)  # the cause
    configure(ROOT_URLCONF="tests.urls", DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    assert evaluated("readiness").passed
    assert evaluated("startup").passed


@pytest.mark.parametrize(
    ("fail_level", "message", "passed"),
    [
        ("CRITICAL", ERROR, True),
        ("WARNING", WARNING, False),
        ("INFO", checks.Info("news"), False),
        ("ERROR", WARNING, True),
        (None, WARNING, None),
    ],
)
def test_check_s_own_fail_level_counts_everywhere(
    evaluated, configure, counted, fail_level, message, passed
):
    """In the heartbeat and in a probe; without one theirs count."""
    counted.messages = [message]
    listed = [(counted, {"fail_level": fail_level})]
    configure(DOCKERFLOW_CHECKS=listed, DOCKERFLOW_PROBES={"readiness": listed})
    expected = (False, True) if passed is None else (passed, passed)
    heartbeat, readiness = evaluated(), evaluated("readiness")
    assert (heartbeat.passed, readiness.passed) == expected
    assert heartbeat.failing == (set() if heartbeat.passed else {"counted"})


@pytest.mark.django_db(transaction=True)
def test_deadline_holds_inside_a_transaction(evaluated, configure, hung):
    """A project's ATOMIC_REQUESTS, or a middleware that opens one, is no test."""
    configure(DOCKERFLOW_CHECKS=[hung], DOCKERFLOW_CHECK_TIMEOUT=0.2)
    with transaction.atomic():
        began = time.monotonic()
        report = evaluated()
        assert time.monotonic() - began < 10  # the check hangs for 30
    assert report.results["counted"].messages[0].id == health.ERROR_CHECK_TIMED_OUT


def test_one_run_whatever_options_several_probes_give_a_check(evaluated, configure, hung):
    """No second thread is started for a check that hangs, and each probe waits its own time."""
    configure(
        DOCKERFLOW_CHECKS=[hung],
        DOCKERFLOW_PROBES={
            "readiness": [(hung, {"timeout": 0.05, "every": 0, "fail_level": "CRITICAL"})],
            "startup": [(hung, {"timeout": 60})],
            "liveness": [(hung, {"timeout": 0.1, "every": 5})],
        },
        DOCKERFLOW_CHECK_TIMEOUT=0.2,
        DOCKERFLOW_HEARTBEAT_MAX_AGE=0,
    )
    others = set(threading.enumerate())  # one of an earlier test may be about to end
    for _ in range(3):
        for probe in ("heartbeat", "liveness", "readiness", "startup"):
            evaluated(probe)
    assert hung.runs == 1
    ours = [t.name for t in threading.enumerate() if t not in others]
    assert ours.count("dockerflow-counted") == 1


def test_not_ready_is_news_for_readiness_alone(evaluated, configure):
    """`set_ready(False, reason)` takes the process out of the service and kills nothing."""
    configure(DOCKERFLOW_PROBES={"readiness": []}, DOCKERFLOW_CHECKS=[])
    assert evaluated("readiness").passed
    lifecycle.set_ready(False, "maintenance")
    report = evaluated("readiness")
    assert not report.passed
    assert (report.level, report.failing) == (checks.INFO, {"lifecycle"})
    found = report.results["lifecycle"]
    assert "maintenance" in found.messages[0].msg
    assert (found.run, found.duration_seconds) == (0, 0)
    assert evaluated("liveness").passed
    assert evaluated("startup").passed
    assert evaluated().passed
    lifecycle.set_ready(True)
    assert evaluated("readiness").passed


def test_ready_again_is_announced_though_no_check_ran_anew(evaluated, configure, counted, received):
    """A process that is let back into the service is news, whatever results were reused for it."""
    configure(DOCKERFLOW_PROBES={"readiness": [counted]}, DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    assert evaluated("readiness").passed
    for ready in (False, True, False, True):
        lifecycle.set_ready(ready)
        assert evaluated("readiness").passed is ready
    assert [change["new"] for change in received.changed] == ["failed", "passed"] * 2
    assert counted.runs == 1


def test_registered_check_is_in_the_heartbeat_and_in_its_probe(evaluated, configure):
    """`register("readiness")` adds to that probe and to the heartbeat, which runs every check."""
    configure(DOCKERFLOW_CHECKS=[])

    @register("readiness")
    def check_stock(app_configs, **kwargs):
        return [ERROR]

    with replace_check(MIGRATIONS):
        assert "check_stock" in evaluated("readiness").results
    assert list(evaluated().results) == ["check_stock"]
    assert "check_stock" not in evaluated("startup").results


def test_signals_are_sent_once_a_run(evaluated, configure, counted, received):
    """However many heartbeats share a run, one signal tells of it."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    for _ in range(3):
        evaluated()
    (passed,) = received.passed
    assert passed["level"] == 0
    assert passed["probe"] == "heartbeat"
    assert passed["report"].passed
    assert received.failed == []


def test_changed_is_sent_when_the_outcome_changes(evaluated, configure, counted, received):
    """A change of outcome is told once, with what it was; passing from the start is no change."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    for messages in ([], [], [ERROR], [WARNING], []):
        counted.messages = messages
        evaluated()
    assert [(c["probe"], c["old"], c["new"]) for c in received.changed] == [
        ("heartbeat", "passed", "failed"),
        ("heartbeat", "failed", "passed"),
    ]
    assert len(received.passed) == 3
    assert [failed["level"] for failed in received.failed] == [checks.ERROR, checks.WARNING]


def test_change_back_is_told_though_no_check_ran_again(evaluated, configure, counted, received):
    """Set not ready and ready again, over one result that is reused: each time is a change."""
    configure(DOCKERFLOW_PROBES={"readiness": [counted]}, DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    for ready in (True, False, True, True, False):
        lifecycle.set_ready(ready, "maintenance")
        evaluated("readiness")
    assert counted.runs == 1
    assert [(c["old"], c["new"]) for c in received.changed] == [
        ("passed", "failed"),
        ("failed", "passed"),
        ("passed", "failed"),
    ]


def test_check_of_both_readiness_and_startup_runs_once(configure, counted):
    """While starting, a check that two of the probes list is asked once, fresh results or not."""
    configure(
        DOCKERFLOW_PROBES={"startup": [counted], "readiness": [counted]},
        DOCKERFLOW_HEARTBEAT_MAX_AGE=0,
    )
    assert evaluate("readiness", fresh=True).passed
    assert counted.runs == 1


def test_fresh_report_reuses_nothing(configure, counted):
    """A caller that asks for a fresh report, as the command does, has the checks run anew."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    for _ in range(2):
        assert evaluate(fresh=True).passed
    assert counted.runs == 2
    assert evaluate().passed
    assert counted.runs == 2


@pytest.mark.django_db
def test_check_of_both_runs_once_inside_a_transaction(configure, counted):
    """The same where nothing is shared between two heartbeats."""
    configure(DOCKERFLOW_PROBES={"startup": [counted]})
    assert evaluate("startup").passed
    assert counted.runs == 1


def test_check_named_like_the_lifecycle_is_not_hidden(evaluated, configure):
    """A project's own check `lifecycle` is shown beside the process's."""

    def lifecycle_check(app_configs):
        return [ERROR]

    lifecycle_check.__name__ = "lifecycle"
    configure(DOCKERFLOW_PROBES={"readiness": [lifecycle_check]})
    lifecycle.set_ready(False)
    report = evaluated("readiness")
    assert [m.id for result in report.results.values() for m in result.messages] == [
        "shop.E001",
        health.INFO_NOT_READY,
    ]
    assert report.failing == {"lifecycle", "lifecycle#2"}


def test_first_failure_is_a_change(evaluated, configure, counted, received):
    """A process that fails from the start says so; what was before is unknown."""
    counted.messages = [ERROR]
    configure(DOCKERFLOW_CHECKS=[counted])
    evaluated()
    assert [(c["old"], c["new"]) for c in received.changed] == [(None, "failed")]


def test_failing_receiver_costs_nothing(evaluated, configure, counted, caplog):
    """D16: a receiver that raises is logged, and the heartbeat answers."""
    from dockerflow_django.signals import heartbeat_passed

    def receiver(**kwargs):
        raise ConnectionError("statsd is down")

    configure(DOCKERFLOW_CHECKS=[counted])
    heartbeat_passed.connect(receiver)
    try:
        assert evaluated().passed
        wait_until(lambda: "statsd is down" in caplog.text)
    finally:
        heartbeat_passed.disconnect(receiver)


def test_lifecycle_probe_without_checks_is_announced_every_time(evaluated, received):
    """A probe that runs nothing has no run to share: each answer is one heartbeat."""
    evaluated("liveness")
    evaluated("liveness")
    assert [passed["probe"] for passed in received.passed] == ["liveness", "liveness"]


@pytest.mark.django_db
def test_inside_a_transaction_the_checks_run_in_this_thread(configure):
    """A `TestCase` may call the heartbeat: its checks see what the test wrote."""
    from django.contrib.auth.models import User

    def check_users(app_configs, **kwargs):
        names = ", ".join(User.objects.values_list("username", flat=True))
        return [checks.Info(f"{names} in {threading.current_thread().name}")]

    User.objects.create(username="ada")
    configure(DOCKERFLOW_CHECKS=[check_users])
    (message,) = evaluate().results["check_users"].messages
    assert message.msg == f"ada in {threading.current_thread().name}"


@pytest.mark.django_db
def test_inside_a_transaction_nothing_is_reused(configure, counted):
    """Two heartbeats of one test are two runs: a result never comes from another test."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    evaluate()
    evaluate()
    assert counted.runs == 2


async def test_async_under_test_evaluates_in_the_tests_thread(counted):
    """With a test environment the question goes to the thread that knows of the transaction."""
    with override_settings(DOCKERFLOW_CHECKS=[counted]):
        assert (await aevaluate()).passed
    assert counted.runs == 1


def test_hung_receiver_delays_no_answer(evaluated, counted, configure):
    """Whoever asks is answered within the timeout, though a receiver of the signal hangs."""
    from dockerflow_django.signals import heartbeat_passed

    gate = threading.Event()

    def hang(**kwargs):
        assert gate.wait(30)

    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=0)
    others = set(threading.enumerate())  # one of an earlier test may be about to end
    heartbeat_passed.connect(hang)
    try:
        for _ in range(3):
            began = time.monotonic()
            assert evaluated().passed
            assert time.monotonic() - began < 15  # a receiver hangs for 30
        ours = [t.name for t in threading.enumerate() if t not in others]
        assert ours.count("dockerflow-receivers") == 1
    finally:
        heartbeat_passed.disconnect(hang)
        gate.set()


def test_patient_caller_waits_as_long_as_the_check_asks(configure, hung):
    """The command waits for a slow check's own timeout, a probe does not."""
    configure(DOCKERFLOW_CHECKS=[(hung, {"timeout": 30})], DOCKERFLOW_CHECK_TIMEOUT=0.05)
    assert evaluate().level == checks.INFO
    threading.Timer(0.1, hung.gate.set).start()
    report = evaluate(patient=True)
    assert (report.passed, report.level) == (True, 0)


@pytest.mark.parametrize("is_test", [True, False])
def test_test_and_patient_caller_find_the_receivers_called(
    configure, counted, received, monkeypatch, is_test
):
    """What a signal did has been done when the answer is there."""
    monkeypatch.setattr(evaluation, "is_testing", lambda: is_test)
    configure(DOCKERFLOW_CHECKS=[counted])
    evaluate(patient=not is_test)
    assert len(received._passed) == 1


def test_project_without_a_urlconf_starts(evaluated, configure, settings):
    """A worker's project need not serve any."""
    configure(DOCKERFLOW_PROBES={"readiness": []})
    del settings.ROOT_URLCONF
    assert evaluated("readiness").passed


@pytest.mark.parametrize("name", ["CACHES", "DATABASES", "INSTALLED_APPS"])
def test_what_the_checks_ask_has_changed(configure, counted, name):
    """A result is of the services that were configured then."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    evaluate()
    evaluation._forget(setting=name)
    evaluate()
    assert counted.runs == 2


def test_last_report_is_kept_by_probe(configure, counted):
    """What was found last can be looked at without asking again."""
    configure(DOCKERFLOW_CHECKS=[counted])
    assert evaluation.last_report("heartbeat") is None
    report = evaluate()
    assert evaluation.last_report("heartbeat") is report
    assert evaluation.last_report("readiness") is None


def test_overriding_a_setting_forgets_results(configure, counted):
    """D17: an overridden setting, or database, is not answered with old results."""
    configure(DOCKERFLOW_CHECKS=[counted], DOCKERFLOW_HEARTBEAT_MAX_AGE=60)
    evaluate()
    with override_settings(LANGUAGE_CODE="de"):
        evaluate()
    assert counted.runs == 1
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS="never"):
        evaluate()
    assert counted.runs == 2
