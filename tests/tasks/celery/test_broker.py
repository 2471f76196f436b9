"""A watch knows whether a broker answers: not from a connection that once was, but now."""

import logging
import threading

import pytest
from celery import Celery

from dockerflow_django.tasks.celery import broker
from dockerflow_django.tasks.celery.broker import BrokerWatch
from tests.harness.waiting import wait_until
from tests.services import amqp_url, redis_url, require

ALONE = {"set_as_current": False, "fixups": []}


@pytest.fixture
def watch(monkeypatch):
    """Start a watch that asks often; it ends with the test."""
    monkeypatch.setattr(broker, "INTERVAL_SECONDS", 0.05)
    started = []

    def start(url_or_app):
        app = Celery(broker=url_or_app, **ALONE) if isinstance(url_or_app, str) else url_or_app
        found = BrokerWatch(app)
        started.append(found)
        found.start()
        return found

    yield start
    for found in started:
        found.stop()
    wait_until(lambda: "dockerflow-broker" not in {it.name for it in threading.enumerate()})


@pytest.mark.parametrize(("name", "url"), [("redis", redis_url), ("amqp", amqp_url)])
def test_answers(watch, name, url):
    """A broker that is there answers, again and again, since the same moment."""
    require(name)
    found = watch(url())
    wait_until(lambda: found.answers_since, timeout=30)
    since, answered_at = found.answers_since, found._answered_at
    wait_until(lambda: found._answered_at > answered_at, timeout=30)
    assert found.answers_since == since
    assert found.is_asked


@pytest.mark.parametrize(
    "url",
    ["redis://u:s3cret@127.0.0.1:{port}/0", "amqp://u:s3cret@127.0.0.1:{port}//", "nosuch://x"],
)
def test_does_not_answer(watch, caplog, url, refusing_port):
    """One that refuses, or is none, is told once, without its password."""
    caplog.set_level(logging.WARNING, "dockerflow_django.tasks")
    found = watch(url.format(port=refusing_port))
    wait_until(lambda: "does not answer" in caplog.text, timeout=30)
    assert found.is_asked
    assert found.answers_since is None
    ours = [each for each in caplog.records if each.name == "dockerflow_django.tasks"]
    (told,) = [each.getMessage() for each in ours]
    assert told.startswith("The Celery broker does not answer: ")
    assert "s3cret" not in told


@pytest.mark.parametrize("url", ["redis://:s3cret/x@b:6379/0", "redis://b/0;amqp://u:s3cret/x@b"])
def test_password_with_a_slash(watch, caplog, url):
    """What stands before the slash is taken for a port, and is in no line all the same."""
    caplog.set_level(logging.WARNING, "dockerflow_django.tasks")
    watch(url)
    wait_until(lambda: "does not answer" in caplog.text, timeout=30)
    ours = [each for each in caplog.records if each.name == "dockerflow_django.tasks"]
    assert [each.getMessage() for each in ours] == [
        "The Celery broker does not answer: its URL is not one that Kombu can use (ValueError)"
    ]


class Failing:
    """An app whose broker cannot even be asked."""

    asked = 0

    def connection_for_read(self, **kwargs):
        self.asked += 1
        raise RuntimeError("a transport's own fault")


def test_whatever_a_transport_raises(watch, caplog):
    """An exception that nobody expects is an answer, told once, and the watch goes on."""
    app = Failing()
    found = watch(app)
    wait_until(lambda: app.asked > 3, timeout=30)
    assert caplog.text.count("RuntimeError: a transport's own fault") == 1
    assert found.is_asked
    assert found.answers_since is None


def test_comes_back(watch, private_redis, caplog):
    """One that is started again answers since then, and the log says so."""
    caplog.set_level(logging.INFO, "dockerflow_django.tasks")
    found = watch(private_redis.url())
    before = wait_until(lambda: found.answers_since, timeout=30)
    private_redis.stop()
    wait_until(lambda: found.answers_since is None, timeout=30)
    private_redis.start()
    assert wait_until(lambda: found.answers_since, timeout=30) > before
    wait_until(lambda: "answers again" in caplog.text, timeout=30)


def test_stops_between_two_asks(watch, private_redis):
    """A watch that waits for its next ask ends its connection and its thread when it is told to."""
    found = watch(private_redis.url())
    wait_until(lambda: found.answers_since, timeout=30)
    found.stop()
    wait_until(lambda: "dockerflow-broker" not in {it.name for it in threading.enumerate()})
    assert found.answers_since is not None


def test_an_ask_that_hangs():
    """An answer that is too old is none; before the first there is a time to wait."""
    found = BrokerWatch(Failing())
    assert not found.is_asked
    found._started -= broker.PATIENCE_SECONDS + 1
    assert found.is_asked
    found._succeed()
    assert found.answers_since is not None
    found._answered_at -= broker.PATIENCE_SECONDS + 1
    assert found.answers_since is None
