"""A process without a supervisor: one of several sends, and a version that fails costs no news."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from dockerflow_django import lifecycle, testing
from dockerflow_django.heartbeat.report import Report
from dockerflow_django.webhooks import listening, process
from tests.harness.receiver import Receiver


def test_one_process_of_several_sends() -> None:
    """The first process claims a URL, each other gets nothing until it has ended."""
    url = f"http://127.0.0.1/{os.getpid()}"
    with process._become_sender(url) as claim:  # type: ignore[union-attr]
        assert claim.fileno() != -1
        assert process._become_sender(url) is None
    again = process._become_sender(url)
    assert again is not None
    again.close()


@pytest.fixture
def fresh() -> Iterator[None]:
    """Begin and end with a process that has sent nothing."""
    testing.reset()
    yield
    testing.reset()


def test_failed_start(settings, fresh: None) -> None:
    """A process that will serve nothing says why, and waits until that is sent."""
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        process.own_sender.fail_startup("amqp", "The broker refuses access.")
        assert receiver.news() == [("startup", "failed")]
        assert "The broker refuses access." in receiver.posts[0].body.decode()
        settings.DOCKERFLOW_WEBHOOK_URL = None
        process.own_sender.fail_startup("amqp", "The broker refuses access.")
        assert len(receiver.posts) == 1


def test_failed_start_beside_the_sender(settings, fresh: None) -> None:
    """Another process may send for the container: its probe port is what this one has not got."""
    with Receiver() as receiver, process._become_sender(receiver.url):  # type: ignore[union-attr]
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        process.own_sender.fail_startup("worker", "The port is taken.")
        assert receiver.news() == [("startup", "failed")]
        assert not listening.is_serving


def test_failed_start_below_a_supervisor(settings, fresh: None) -> None:
    """The supervisor tells of it, if anybody does."""
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        lifecycle.process.has_supervisor = True
        process.own_sender.fail_startup("loop", "The port is taken.")
        assert receiver.posts == []


def test_what_is_told(settings, fresh: None) -> None:
    """Each change of a probe is, but not the heartbeat's, nor what the startup has said already."""
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        listening.serve()
        changes = [("heartbeat", "failed"), ("startup", "passed"), ("readiness", "failed")]
        changes += [("readiness", "passed")]
        for probe, outcome in changes:
            report = Report(probe, {}, passed=outcome == "passed")
            process.own_sender.on_change(probe, None, outcome, report)
        process.own_sender.flush()
        assert receiver.news() == [("readiness", "warning"), ("readiness", "succeeded")]


@pytest.mark.parametrize("is_claimed", [True, False])
def test_another_tells(settings, fresh: None, is_claimed: bool) -> None:
    """A change is told by the process that has the claim, or by the supervisor."""
    with Receiver() as receiver, ExitStack() as stack:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        listening.serve()
        if is_claimed:
            stack.enter_context(process._become_sender(receiver.url))  # type: ignore[arg-type]
        else:
            lifecycle.process.has_supervisor = True
        report = Report("readiness", {}, passed=False)
        process.own_sender.on_change("readiness", None, "failed", report)
        process.own_sender.flush()
        assert receiver.posts == []


def test_secret_that_cannot_be_read(
    settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, fresh: None
) -> None:
    """Nothing goes unsigned by mistake: nothing is sent, and one line of the log says so."""
    with Receiver() as receiver:
        settings.DOCKERFLOW_WEBHOOK_URL = receiver.url
        monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET_FILE", "/nowhere/secret")
        process.own_sender.fail_startup("amqp", "The broker refuses access.")
        listening.serve()
        report = Report("readiness", {}, passed=False)
        process.own_sender.on_change("readiness", None, "failed", report)
        assert receiver.posts == []
        (line,) = caplog.messages
        assert "DOCKERFLOW_WEBHOOK_SECRET must be the path of a file" in line
        monkeypatch.setenv("DOCKERFLOW_WEBHOOK_SECRET", "hush")
        testing.reset()
        process.own_sender.fail_startup("amqp", "The broker refuses access.")
        assert [bool(post.headers["X-Dockerflow-Signature"]) for post in receiver.posts] == [True]
