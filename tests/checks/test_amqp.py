"""Whether an AMQP broker lets us in."""

import sys
import time

import pytest

from dockerflow_django import health
from dockerflow_django.checks.amqp import URL_SETTING, check_amqp_connected
from dockerflow_django.checks.messages import cause_of
from tests.checks.connections import connections_to
from tests.harness.waiting import PROMPT_SECONDS
from tests.services import amqp_url, require

RUNS = 200


@pytest.fixture
def working():
    require("amqp")
    return amqp_url()


def ids(messages):
    return [message.id for message in messages]


def test_url_is_well(working):
    """A broker that lets us in passes."""
    assert check_amqp_connected([], url=working) == []


def test_setting_is_well(settings, working):
    """The URL may stand in the settings, where it is not part of a check's options."""
    setattr(settings, URL_SETTING, working)
    assert check_amqp_connected([]) == []


def test_no_url_names_the_fix():
    """Without a URL the check says where to put it."""
    (message,) = check_amqp_connected([])
    assert message.id == health.ERROR_MISCONFIGURED_CHECK
    assert URL_SETTING in message.msg


def test_bad_url_is_a_misconfiguration():
    """A URL of no transport that Kombu knows is an error of the configuration."""
    messages = check_amqp_connected([], url="nosuch://user:s3cret@host")
    assert ids(messages) == [health.ERROR_MISCONFIGURED_CHECK]


def test_password_with_a_slash():
    """What stands before the slash is taken for a port, and is in no cause all the same."""
    (message,) = check_amqp_connected([], url="amqp://user:s3cret/x@host")
    assert message.id == health.ERROR_MISCONFIGURED_CHECK
    assert cause_of(message) == "ValueError"


def test_down_tells_no_secret(refusing_port):
    """A broker that is down is an error that shows neither address nor password.

    django-health-check printed the whole URL in every format.
    """
    (message,) = check_amqp_connected([], url=f"amqp://user:s3cret@127.0.0.1:{refusing_port}//")
    assert message.id == health.ERROR_CANNOT_CONNECT_AMQP
    assert message.msg == "The AMQP broker cannot be reached."
    assert cause_of(message).startswith("ConnectionRefusedError")
    assert "s3cret" not in cause_of(message)


@pytest.mark.parametrize(("part", "other"), [("guest:guest", "guest:wr0ng"), ("//", "/nowhere")])
def test_refusal_is_an_error(working, part, other):
    """A wrong password or virtual host is an error: connecting alone would not find it out."""
    (message,) = check_amqp_connected([], url=other.join(working.rsplit(part, 1)))
    assert message.id == health.ERROR_CANNOT_CONNECT_AMQP
    assert "wr0ng" not in cause_of(message)


def test_silent_broker_is_bounded(black_hole):
    """A port that takes connections and never answers fails within the timeout."""
    begun = time.monotonic()
    url = f"amqp://127.0.0.1:{black_hole.port}"
    messages = check_amqp_connected([], url=url, timeout_seconds=0.2)
    assert time.monotonic() - begun < PROMPT_SECONDS
    assert ids(messages) == [health.ERROR_CANNOT_CONNECT_AMQP]


def test_missing_client_names_the_fix(monkeypatch):
    """Without Kombu the check says what to install."""
    monkeypatch.setitem(sys.modules, "kombu.connection", None)
    (message,) = check_amqp_connected([], url="amqp://")
    assert message.id == health.ERROR_MISSING_CLIENT
    assert "pip install dockerflow-django[amqp]" in message.msg


def test_connections_do_not_grow(working):
    """After 200 runs no connection is left."""
    before = connections_to(working)
    for _ in range(RUNS):
        assert check_amqp_connected([], url=working) == []
    assert connections_to(working) == before
