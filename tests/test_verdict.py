"""Error number, level, and whether a request is logged at all."""

import asyncio
import logging

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings

from dockerflow_django.context import RequestState
from dockerflow_django.verdict import CLIENT_CLOSED_REQUEST, rate_of, verdict_of
from tests.summaries import WORLDS, answering, ask, recorded, serving

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


@pytest.fixture
def state():
    return RequestState("rid")


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


@pytest.mark.parametrize(
    ("code", "errno", "level"),
    [
        (100, 0, INFO),
        (200, 0, INFO),
        (399, 0, INFO),
        (400, 400, INFO),
        (499, 499, INFO),
        (500, 500, ERROR),
        (503, 503, ERROR),
        (599, 599, ERROR),
    ],
)
def test_status_is_the_error_number_from_400(state, code, errno, level):
    """Only what failed on our side is an error: D7."""
    assert verdict_of(code, None, state) == (errno, level)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit()])
def test_client_that_has_gone(state, error):
    """It has nginx's number, and is a warning, whatever status was sent."""
    assert verdict_of(200, error, state) == (CLIENT_CLOSED_REQUEST, WARNING)


@pytest.mark.parametrize("error", [RuntimeError(), SystemExit()])
def test_exception_without_a_response(state, error):
    """A body that broke off is an error, whatever status was sent."""
    assert verdict_of(200, error, state) == (500, ERROR)


def test_news_is_no_error(state):
    """A probe may fail for a reason that is none to wake anybody."""
    state.is_news = True
    assert verdict_of(503, None, state) == (503, INFO)


def rate(state, errno=0, level=INFO, path="/x/"):
    return rate_of(RequestFactory().get(path), state, errno, level)


@override_settings(
    DOCKERFLOW_SUMMARY_EXCLUDE=[r"^/quiet/", "favicon"], DOCKERFLOW_SUMMARY_SAMPLE_RATE=0.25
)
def test_rate_of_what_went_well(state):
    """Excluded paths are never logged, the others as often as is wanted."""
    assert rate(state) == 0.25
    assert rate(state, path="/loud/quiet/") == 0.25
    assert rate(state, path="/quiet/x") == 0
    assert rate(state, path="/static/favicon.ico") == 0
    assert rate(state, errno=404, path="/quiet/x") == 0


@override_settings(DOCKERFLOW_SUMMARY_EXCLUDE=[""], DOCKERFLOW_SUMMARY_SAMPLE_RATE=0)
def test_failures_are_always_logged(state):
    """No setting hides a server error, a probe's news or a client that has gone."""
    assert rate(state, errno=500, level=ERROR) == 1
    assert rate(state, errno=503, level=INFO) == 1
    assert rate(state, errno=499, level=WARNING) == 1
    assert rate(state, errno=404) == 0


def test_health_is_not_logged_unless_it_fails(state):
    """Polls of our own endpoints are no traffic: D10."""
    state.is_health = True
    assert rate(state) == 0
    assert rate(state, errno=404) == 1
    with override_settings(DOCKERFLOW_SUMMARY_LOG_HEALTH=True):
        assert rate(state) == 1


@override_settings(DOCKERFLOW_SUMMARY_EXCLUDE=["here"])
@pytest.mark.parametrize(("status", "lines"), [(200, 0), (404, 0), (500, 1)])
def test_excluded_path(world, status, lines):
    """An excluded path that fails has its line."""
    with serving(answering(status=status)), recorded() as records:
        assert ask(world).status_code == status
    assert len(records.summaries) == lines


@override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0.5)
def test_sample(world, monkeypatch):
    """Some are logged and say of how many they are one; a failure speaks for itself alone."""
    chances = iter([0.1, 0.9, 0.4999, 0.5, 0.9])
    monkeypatch.setattr("random.random", lambda: next(chances))
    statuses = iter([200, 200, 200, 200, 500])

    def view(request):
        return HttpResponse(status=next(statuses))

    with serving(view), recorded() as records:
        for _ in range(5):
            ask(world)
    assert [getattr(r, "sample_rate", None) for r in records.summaries] == [0.5, 0.5, None]


def test_without_sampling_there_is_no_rate(world):
    """A line that stands for itself does not say so."""
    with serving(answering()), recorded() as records:
        ask(world)
    assert not hasattr(records.summary, "sample_rate")
