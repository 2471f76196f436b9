"""The log lines about health: one a change."""

import logging

import pytest
from django.core import checks

from dockerflow_django.checks.messages import failure
from dockerflow_django.heartbeat import log
from dockerflow_django.heartbeat.report import LIFECYCLE, Report, Result

LOGGER = "dockerflow_django.checks"


@pytest.fixture(autouse=True)
def _anew(caplog):
    caplog.set_level(logging.INFO, LOGGER)
    log.reset()
    yield
    log.reset()


def report(*messages, traceback=""):
    result = Result(messages, 0.0, 1, traceback)
    log.log_changes(Report("heartbeat", {"check_stock": result}, passed=not messages))


def test_one_record_for_each_change(caplog):
    """A failing check is logged when it begins to fail and when it is well, not at every poll."""
    broken = checks.Error("Nothing in stock.", id="shop.E001")
    for messages in ([], [broken], [broken], [], []):
        report(*messages)
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.ERROR, "Check check_stock: shop.E001: Nothing in stock."),
        (logging.INFO, "Check check_stock is ok again."),
    ]
    assert [(record.check, record.status) for record in caplog.records] == [
        ("check_stock", "error"),
        ("check_stock", "ok"),
    ]


def test_several_messages_are_one_record(caplog):
    """One after the other."""
    report(checks.Error("No stock.", id="shop.E001"), checks.Warning("No shelf.", id="shop.W001"))
    assert caplog.messages == ["Check check_stock: shop.E001: No stock. shop.W001: No shelf."]


def test_half_a_character_is_escaped(caplog):
    """A handler that writes UTF-8 would lose the whole line."""
    report(checks.Error("caf\udce9 is old.", id="shop.E001"), traceback="caf\udce9")
    assert caplog.messages == [
        "Check check_stock: shop.E001: caf\\udce9 is old.\ncaf\\udce9",
    ]


def test_a_failing_check_that_hangs_now_is_a_change(caplog):
    """It says something else, not less than before."""
    for run, messages, is_finished in (
        (1, (checks.Error("No stock.", id="shop.E001"),), True),
        (2, (checks.Error("No answer.", id="dockerflow.health.E011"),), False),
    ):
        result = Result(messages, 0.0, run, is_finished=is_finished)
        log.log_changes(Report("heartbeat", {"check_stock": result}, passed=False))
    assert len(caplog.records) == 2


def test_a_message_without_an_id(caplog):
    """It is told alone."""
    report(checks.Error("Nothing in stock."))
    assert caplog.messages == ["Check check_stock: Nothing in stock."]


def test_what_a_probe_found_once_is_no_change(caplog):
    """A probe that goes on with an old result does not undo in the log what was found since."""
    broken = checks.Error("Nothing in stock.", id="shop.E001")
    for run, probe, messages in (
        (1, "readiness", ()),
        (2, "heartbeat", (broken,)),
        (1, "readiness", ()),
        (2, "heartbeat", (broken,)),
    ):
        result = Result(messages, 0.0, run)
        log.log_changes(Report(probe, {"check_stock": result}, passed=not messages))
    assert [record.status for record in caplog.records] == ["error"]


def test_silenced_message_is_not_logged(caplog, settings):
    """D15: what is silenced is silent in the log, too."""
    settings.SILENCED_SYSTEM_CHECKS = ["shop.E001"]
    report(checks.Error("Nothing in stock.", id="shop.E001"))
    assert caplog.records == []


def test_cause_is_logged_without_its_credentials(caplog):
    """The cause that no endpoint shows is in the log, scrubbed."""
    cause = OSError("postgres://shop:geheim@db/shop refused, password=geheim\nsecond line")
    report(failure(checks.Error, "Could not connect.", "shop.E001", cause))
    (record,) = caplog.records
    assert "Could not connect. (OSError:" in record.getMessage()
    assert "geheim" not in caplog.text
    assert "second line" not in caplog.text


def test_traceback_is_logged_once_and_scrubbed(caplog):
    """What a check raised is in the log once per change of state, without credentials."""
    raised = checks.Critical("The check raised OSError.", id="dockerflow.health.C001")
    for _ in range(2):
        report(raised, traceback="Traceback\nOSError: redis://:geheim@cache/0")
    (record,) = caplog.records
    assert "Traceback" in record.getMessage()
    assert "geheim" not in record.getMessage()


def test_failure_without_a_cause_has_none():
    """A message made without an exception has an empty cause."""
    assert failure(checks.Error, "No.", "shop.E001", None).cause == ""


def test_life_of_the_process_is_logged_as_it_changes(caplog):
    """Taken out of the service, back, and out again: three records, however often each probe asks.

    What readiness says of the process is not what startup says; neither is logged at every poll.
    """
    out = checks.Info("Set not ready.", id="dockerflow.health.I004")

    def ask(probe, *messages):
        results = {LIFECYCLE: Result(messages, 0.0, run=0)} if messages else {}
        log.log_changes(Report(probe, results, passed=not messages))

    for messages in ([], [out], [out], [], [out]):
        ask("readiness", *messages)
        ask("startup")
    assert [record.getMessage() for record in caplog.records] == [
        "Check lifecycle (readiness): dockerflow.health.I004: Set not ready.",
        "Check lifecycle (readiness) is ok again.",
        "Check lifecycle (readiness): dockerflow.health.I004: Set not ready.",
    ]


def test_filter_that_raises(caplog, capfd):
    """What a project's log filter raises is told on standard error, and costs no heartbeat."""

    def breaks(record):
        return record.args[3]

    logger = logging.getLogger(LOGGER)
    logger.addFilter(breaks)
    try:
        report(checks.Error("No stock.", id="shop.E001"))
        report()
    finally:
        logger.removeFilter(breaks)
    assert caplog.records == []
    assert capfd.readouterr().err.count("--- Logging error ---") == 2
