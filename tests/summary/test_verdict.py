"""What an end means: its error number, its level, and whether it is logged."""

import asyncio
import logging
import random
import re

import pytest
from django.http import HttpResponse
from django.test import override_settings
from django.urls import include, path, resolve

from dockerflow_django import views
from dockerflow_django.context.requests import RequestState
from dockerflow_django.metrics.views import metrics
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.verdict import is_gone, rate_of, verdict_of
from tests.summary import drive

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


@pytest.fixture
def state():
    """Begin a request without making it the current one."""
    return RequestState("abc")


@pytest.mark.parametrize(
    ("code", "errno", "level"),
    [
        *((100, 0, INFO), (200, 0, INFO), (204, 0, INFO), (301, 0, INFO), (399, 0, INFO)),
        *((400, 400, INFO), (404, 404, INFO), (418, 418, INFO), (499, 499, INFO)),
        *((500, 500, ERROR), (503, 503, ERROR), (599, 599, ERROR)),
    ],
)
def test_a_status_has_its_number_and_level(state, code, errno, level):
    """What the client did wrong is no error of ours; a returned 503 is (D7)."""
    assert verdict_of(code, None, state) == (errno, level)


@pytest.mark.parametrize("error", [asyncio.CancelledError(), GeneratorExit()])
def test_a_client_that_has_gone_is_a_warning(state, error):
    """Whatever status was sent."""
    assert is_gone(error)
    assert verdict_of(200, error, state) == (499, WARNING)


@pytest.mark.parametrize("error", [LookupError(), KeyboardInterrupt(), SystemExit()])
def test_an_exception_is_an_error(state, error):
    """Also where a 200 went out before it."""
    assert not is_gone(error)
    assert verdict_of(200, error, state) == (500, ERROR)


def test_no_error_is_not_gone():
    """None is what most requests have."""
    assert not is_gone(None)


def test_news_is_no_error(state):
    """A probe that is not ready yet has failed nobody; a client that goes is a warning still."""
    state.is_expected = True
    assert verdict_of(503, None, state) == (503, INFO)
    assert verdict_of(503, GeneratorExit(), state) == (499, WARNING)


def rate(request, state, code=200):
    """Return the rate of a request that ends with that status."""
    return rate_of(request, state, *verdict_of(code, None, state))


def test_every_request_is_logged(make_request, state):
    """By default, nothing is left out."""
    assert rate(make_request(), state) == 1


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_a_sample_is_of_what_went_well(make_request, state, value):
    """Our failures are all logged, a client's mistakes are not."""
    with override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=value):
        assert [rate(make_request(), state, code) for code in (200, 404)] == [value] * 2
        assert [rate(make_request(), state, code) for code in (500, 503)] == [1] * 2
        assert rate_of(make_request(), state, 499, WARNING) == 1


@override_settings(DOCKERFLOW_SUMMARY_EXCLUDE=[r"^/static/", re.compile("metrics")])
def test_a_path_may_be_excluded(make_request, state):
    """Its failures are not."""
    assert rate(make_request("/static/a.css"), state) == 0
    assert rate(make_request("/x/metrics/"), state) == 0
    assert rate(make_request("/x/static/"), state) == 1
    assert rate(make_request("/static/a.css"), state, 500) == 1
    assert rate_of(make_request("/static/a.css"), state, 499, WARNING) == 1


@override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0, DOCKERFLOW_SUMMARY_EXCLUDE=["."])
def test_news_is_always_logged(make_request, state):
    """An INFO it is, a 503 all the same."""
    state.is_health = state.is_expected = True
    for code in (500, 503):
        assert rate(make_request("/__heartbeat__/readiness"), state, code) == 1


@pytest.mark.parametrize("is_logged", [True, False])
def test_health_is_logged_where_asked_for(make_request, state, is_logged):
    """Answered early or by a view; where it fails, always (D10)."""
    early, late = make_request("/__lbheartbeat__"), make_request("/__lbheartbeat__")
    late.resolver_match = resolve("/__lbheartbeat__")
    state.is_health = True
    with override_settings(DOCKERFLOW_SUMMARY_LOG_HEALTH=is_logged):
        assert rate(early, state) == rate(late, RequestState("a")) == is_logged
        assert rate(early, state, 503) == rate(late, RequestState("a"), 503) == 1
        assert rate(early, state, 404) == 1


@pytest.mark.parametrize("name", ["shop", "dockerflow_console", "dockerflows"])
def test_the_projects_views_are_not_health(make_request, state, name):
    """Nor are those of another app with a namespace, whatever it begins with."""
    request = make_request()
    request.resolver_match = resolve("/plain/")
    assert rate(request, state) == 1
    request.resolver_match.app_names = [name]
    assert rate(request, state) == 1


class Patterns:
    """The app's views in a namespace of the project's own."""

    urlpatterns = (
        path("ops/", include(([path("live", views.probe, {"probe": "liveness"})], "ops"))),
        path("ops/", include(([path("metrics", metrics)], "ops"))),
        path("named/", include("dockerflow_django.metrics.urls")),
    )


@override_settings(ROOT_URLCONF=Patterns)
@pytest.mark.parametrize("path", ["/ops/live", "/ops/metrics", "/named/__metrics__"])
def test_the_apps_views_in_another_namespace_are_health(summaries, path):
    """No poll of them leaves a record, unless it is asked for."""
    for is_logged in (True, False):
        with override_settings(DOCKERFLOW_SUMMARY_LOG_HEALTH=is_logged):
            assert drive.ask("wsgi", "GET", path, {"Accept": "text/html"}).status == 200
        assert len(summaries) == 1


@pytest.fixture
def handled(make_request):
    """Answer one request through the middleware."""

    def handle(path="/plain/", status=200):
        middleware = DockerflowMiddleware(lambda request: HttpResponse(status=status))
        middleware(make_request(path))

    return handle


@override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0.5)
def test_half_of_them_by_chance(handled, summaries, monkeypatch):
    """The rate is in the record, so that counts can be weighed."""
    for drawn in (0.0, 0.49, 0.5, 0.99):
        monkeypatch.setattr(random, "random", lambda drawn=drawn: drawn)
        handled()
    assert [record.sample_rate for record in summaries] == [0.5, 0.5]


@override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0)
def test_none_of_them_but_failures(handled, summaries):
    """A record that is always written has no rate."""
    handled()
    handled(status=404)
    handled(status=503)
    (record,) = summaries
    assert record.code == 503
    assert not hasattr(record, "sample_rate")


def test_all_of_them(handled, summaries, monkeypatch):
    """No chance is asked then."""
    monkeypatch.setattr(random, "random", pytest.fail)
    handled()
    assert not hasattr(summaries[0], "sample_rate")


@override_settings(DOCKERFLOW_SUMMARY_EXCLUDE=["^/quiet/"])
def test_an_excluded_path_leaves_no_record(handled, summaries):
    """Unless it fails on our side (django-structlog logs all, django-guid matches queries)."""
    handled("/quiet/?a=1")
    handled("/quiet/", 404)
    assert summaries == []
    handled("/quiet/", 500)
    assert summaries[0].path == "/quiet/"
