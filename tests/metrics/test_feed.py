"""What the heartbeat's signals write to the metrics."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from django.core import checks
from django.core.checks import CheckMessage
from django.test import Client, override_settings
from django_prometheus.testutils import assert_metric_diff, save_registry
from prometheus_client import REGISTRY

from dockerflow_django import lifecycle, signals, testing
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.heartbeat.report import Report, Result
from dockerflow_django.metrics import definitions, feed, starting

WARNING = checks.Warning("a warning", id="shop.W001")
ERROR = checks.Error("an error", id="shop.E001")
# Nothing here imports prometheus_client before the scrape, which comes between request and run.
SCRAPED_BEFORE_THE_FIRST_RUN = """
import sys
import django
from django.conf import settings

settings.configure(
    ALLOWED_HOSTS=["*"],
    DOCKERFLOW_CHECKS=[],
    INSTALLED_APPS=["dockerflow_django"],
    MIDDLEWARE=["dockerflow_django.middleware.DockerflowMiddleware"],
    ROOT_URLCONF="dockerflow_django.urls",
    SECRET_KEY="only for tests",
)
django.setup()
from django.test import Client

client = Client()
client.get("/__lbheartbeat__")
assert "prometheus_client" not in sys.modules
if "scraped" in sys.argv:
    from dockerflow_django.metrics.exposition import expose

    expose()
client.get("/__heartbeat__")
from dockerflow_django.metrics.exposition import expose

print(expose().body.decode())
"""
DURATIONS = "dockerflow_check_duration_seconds_count"


class Stock:
    """A check that answers what the test says."""

    __name__ = "check_stock"

    def __init__(self) -> None:
        self.messages: list[CheckMessage] = []

    def __call__(self, app_configs: object, **kwargs: object) -> list[CheckMessage]:
        return self.messages


@pytest.fixture
def stock() -> Iterator[Stock]:
    """Feed the metrics from a heartbeat of one check, each time anew."""
    feed.start()
    feed._tracker.reset()
    for metric in (
        definitions.CHECK_STATUS,
        definitions.CHECK_DURATION,
        definitions.CHECK_LAST_RUN,
    ):
        metric.clear()
    check = Stock()
    with override_settings(
        DOCKERFLOW_CHECKS=[check], DOCKERFLOW_CHECK_TIMEOUT=10, DOCKERFLOW_HEARTBEAT_MAX_AGE=0
    ):
        testing.reset()
        yield check
    testing.reset()


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


@pytest.mark.parametrize(
    ("messages", "fail_level", "status"),
    [
        ([], "WARNING", 0),
        ([checks.Info("news")], "WARNING", 0),
        ([checks.Info("news")], "INFO", 2),
        ([WARNING], "WARNING", 2),
        ([WARNING], "ERROR", 1),
        ([ERROR], "ERROR", 2),
        # A probe fails from an error on, whatever the heartbeat does.
        ([ERROR], "CRITICAL", 2),
    ],
)
def test_status_tells_whether_something_fails(
    stock: Stock, messages: list[CheckMessage], fail_level: str, status: int
):
    """The status is 2 where the heartbeat or a probe fails by the check, 1 for a mere warning."""
    stock.messages = messages
    with override_settings(DOCKERFLOW_HEARTBEAT_FAIL_LEVEL=fail_level):
        evaluate()
    assert value("dockerflow_check_status", check="check_stock") == status


def test_each_run_is_measured_once(stock: Stock):
    """Heartbeats that reuse a result add nothing: neither a heartbeat nor a duration."""
    before = save_registry()
    with override_settings(DOCKERFLOW_HEARTBEAT_MAX_AGE=60):
        for _ in range(3):
            evaluate()
    assert_metric_diff(before, 1, DURATIONS, check="check_stock")
    counted = {"probe": "heartbeat", "status": "passed"}
    assert_metric_diff(before, 1, "dockerflow_heartbeats_total", **counted)
    last_run = value("dockerflow_check_last_run_timestamp_seconds", check="check_stock")
    assert last_run == pytest.approx(time.time(), abs=5)


def test_outcomes_are_counted_by_probe(stock: Stock):
    """A failing heartbeat is counted as such, under the probe that was asked."""
    stock.messages = [ERROR]
    before = save_registry()
    with override_settings(DOCKERFLOW_PROBES={"liveness": [stock]}):
        evaluate("liveness")
        evaluate("heartbeat")
    for probe in ("liveness", "heartbeat"):
        counted = {"probe": probe, "status": "failed"}
        assert_metric_diff(before, 1, "dockerflow_heartbeats_total", **counted)


def report_of(
    run: int, *messages: CheckMessage, seconds: float = 0.1, is_finished: bool = True
) -> Report:
    result = Result(messages, seconds, run, is_finished=is_finished)
    return Report("heartbeat", {"check_slow": result}, not messages)


def test_a_run_that_was_given_up_counts_once(stock: Stock):
    """It has the time it was waited for, and no second one when it ends after all."""
    before = save_registry()
    feed.record(report_of(7, ERROR, seconds=0.8, is_finished=False))
    feed.record(report_of(7, ERROR, seconds=1.8, is_finished=False))
    assert value("dockerflow_check_last_run_timestamp_seconds", check="check_slow") is None
    assert value("dockerflow_check_status", check="check_slow") == 2
    feed.record(report_of(7, seconds=2.5))
    assert value("dockerflow_check_status", check="check_slow") == 0
    assert_metric_diff(before, 1, DURATIONS, check="check_slow")
    assert value("dockerflow_check_duration_seconds_sum", check="check_slow") == 0.8
    assert value("dockerflow_check_last_run_timestamp_seconds", check="check_slow")


def test_an_old_result_changes_nothing(stock: Stock):
    """A probe that goes on with what it found once does not hide what was found since."""
    feed.record(report_of(20, ERROR))
    feed.record(report_of(19))
    assert value("dockerflow_check_status", check="check_slow") == 2


def test_two_checks_of_one_name_are_told_apart(stock: Stock):
    """Readiness may ask one database and the heartbeat all: neither hides what the other found."""
    entries = {"heartbeat": {}, "readiness": {"aliases": ["default"]}}
    configured = {probe: [(stock, keywords)] for probe, keywords in entries.items()}
    with override_settings(
        DOCKERFLOW_CHECKS=configured["heartbeat"],
        DOCKERFLOW_PROBES={"readiness": configured["readiness"]},
    ):
        stock.messages = [ERROR]
        evaluate("heartbeat")
        stock.messages = []
        evaluate("readiness")
    assert value("dockerflow_check_status", check="check_stock") == 2
    assert value("dockerflow_check_status", check="check_stock (readiness)") == 0


def test_what_is_asked_once_never_grows_stale(stock: Stock):
    """Readiness asks for the migrations once, so no age of that answer is told."""
    with testing.replace_check("check_migrations_applied"):
        evaluate("readiness")
    assert (
        value("dockerflow_check_last_run_timestamp_seconds", check="check_migrations_applied")
        is None
    )
    assert value("dockerflow_check_status", check="check_migrations_applied") == 0


def test_readiness_is_told_as_it_was_answered(stock: Stock):
    """`dockerflow_ready` follows the probe, and is not a check of its own."""
    with override_settings(DOCKERFLOW_PROBES={"readiness": [stock]}):
        for ready in (True, False, True):
            lifecycle.set_ready(ready)
            evaluate("readiness")
            assert value("dockerflow_ready") == ready
    assert value("dockerflow_check_status", check="lifecycle") is None


def test_version_is_in_the_labels(stock: Stock, monkeypatch: pytest.MonkeyPatch):
    """What is no text becomes one, what is missing is empty, and any failure is no version."""
    monkeypatch.setattr(feed, "_has_started", False)
    version = {"version": "1.2", "commit": None, "build": 3, "more": "x"}
    with override_settings(DOCKERFLOW_VERSION_CALLBACK=lambda root: version):
        feed.start()
    labels = {"version": "1.2", "commit": "", "source": "", "build": "3"}
    assert value("dockerflow_build_info", **labels) == 1


def test_a_version_that_cannot_be_had_is_empty(stock: Stock, monkeypatch: pytest.MonkeyPatch):
    """What the project's callback raises is in the log, and the metrics are there."""
    monkeypatch.setattr(feed, "_has_started", False)
    with override_settings(DOCKERFLOW_VERSION_CALLBACK=lambda root: 1 / 0):
        feed.start()
    labels = dict.fromkeys(("version", "commit", "source", "build"), "")
    assert value("dockerflow_build_info", **labels) == 1


def test_first_request_starts_the_feed(client: Client, monkeypatch: pytest.MonkeyPatch):
    """One receiver waits for the first request, and is gone after it."""
    started: list[bool] = []
    monkeypatch.setattr(feed, "start", lambda: started.append(True))
    starting.start_with_first_request()
    for _ in range(2):
        client.get("/plain/")
    assert started == [True]


def test_a_folder_that_cannot_be_written_costs_the_metrics_alone(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    """The first request is served, and the log says what is wrong."""

    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/values")

    monkeypatch.setattr(feed, "start", fail)
    starting.start_with_first_request()
    assert client.get("/plain/").status_code == 200
    assert "There are no metrics of this process" in caplog.text


def test_started_twice_it_listens_once(stock: Stock):
    """Whoever starts the feed again changes nothing."""
    before = len(signals.heartbeat_passed.receivers)
    feed.start()
    assert len(signals.heartbeat_passed.receivers) == before


def test_a_feed_that_was_started_meanwhile_counts_a_run_once(
    stock: Stock, client: Client, monkeypatch: pytest.MonkeyPatch
):
    """The run that would have started the feed is not counted again if a scrape has."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    monkeypatch.setattr(starting, "_can_be_read", lambda: False)
    starting.start_with_first_request()
    client.get("/plain/")
    counts = [counted()]
    for _ in range(2):
        client.get("/__heartbeat__")
        counts.append(counted())
    assert counts == [counts[0], counts[0] + 1, counts[0] + 2]


def counted() -> float:
    return value("dockerflow_heartbeats_total", probe="heartbeat", status="passed") or 0


@pytest.mark.parametrize("argument", ["scraped", "unscraped"])
def test_the_first_run_counts_once(argument: str):
    """Whether a scrape has started the feed before it, or the run itself does."""
    environ = {k: v for k, v in os.environ.items() if k != "PROMETHEUS_MULTIPROC_DIR"}
    done = subprocess.run(
        [sys.executable, "-c", SCRAPED_BEFORE_THE_FIRST_RUN, argument],
        capture_output=True,
        check=True,
        env=environ,
        text=True,
        timeout=60,
    )
    counted = 'dockerflow_heartbeats_total{probe="heartbeat",status="passed"}'
    assert f"{counted} 1.0" in done.stdout.splitlines()


def test_start_tells_whether_it_did(stock: Stock, monkeypatch: pytest.MonkeyPatch):
    """A second call changes nothing."""
    monkeypatch.setattr(feed, "_has_started", False)
    assert feed.start()
    assert not feed.start()
