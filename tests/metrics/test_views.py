"""The view of the metrics, in both worlds."""

import gzip

import pytest
from django.test import AsyncClient, Client, override_settings
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from dockerflow_django.checks import registry
from dockerflow_django.heartbeat.evaluation import evaluate
from dockerflow_django.metrics.views import metrics

OPENMETRICS = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
PARSERS = {"text/plain": parse_text, "application/openmetrics-text": parse_openmetrics}


@pytest.fixture(autouse=True)
def _urls():
    with override_settings(ROOT_URLCONF="tests.metrics.urls"):
        yield


@pytest.mark.parametrize("path", ["/__metrics__", "/__metrics__/"])
@pytest.mark.parametrize("accept", ["", "text/html,*/*", "text/plain;version=0.0.4", OPENMETRICS])
def test_formats_are_negotiated(client: Client, path: str, accept: str):
    """Each format is read by prometheus_client's parser, and no series is there twice."""
    response = client.get(path, headers={"accept": accept})
    kind = response.headers["Content-Type"].partition(";")[0]
    assert kind == ("application/openmetrics-text" if accept == OPENMETRICS else "text/plain")
    found = [s for family in PARSERS[kind](response.content.decode()) for s in family.samples]
    series = {(sample.name, *sorted(sample.labels.items())) for sample in found}
    assert len(series) == len(found) > 10
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["Vary"] == "Accept, Accept-Encoding"


def test_atomic_requests_are_no_hindrance(client: Client, settings):
    """A database with `ATOMIC_REQUESTS`, whatever its alias, opens no transaction for a scrape."""
    databases = {**settings.DATABASES, "archive": dict(settings.DATABASES["default"])}
    databases["archive"]["ATOMIC_REQUESTS"] = True
    assert all(alias in metrics._non_atomic_requests for alias in databases)


def test_a_scrape_is_no_traffic(client: Client, caplog: pytest.LogCaptureFixture):
    """It neither counts itself as in progress nor has a summary."""
    with caplog.at_level("INFO", "request.summary"):
        text = client.get("/__metrics__").content.decode()
        assert caplog.records == []
        client.get("/plain/")
        assert len(caplog.records) == 1
    assert "dockerflow_requests_in_progress 0.0" in text.splitlines()


async def test_async(async_client: AsyncClient):
    """Under ASGI it answers the same."""
    response = await async_client.get("/__metrics__")
    assert response.status_code == 200
    assert b"dockerflow_build_info" in response.content


def test_body_is_compressed_for_those_who_take_it(client: Client):
    """The length is that of the compressed body."""
    response = client.get("/__metrics__", headers={"accept-encoding": "gzip, deflate"})
    assert response.headers["Content-Encoding"] == "gzip"
    assert response.headers["Content-Length"] == str(len(response.content))
    assert b"dockerflow_build_info" in gzip.decompress(response.content)


def test_head_has_the_headers_and_no_body(client: Client):
    """HEAD tells how long the body would be."""
    response = client.head("/__metrics__")
    assert response.content == b""
    assert int(response.headers["Content-Length"]) > 100


def test_only_get_and_head(client: Client):
    """Anything else is the 405 of every endpoint, in JSON, not a failed CSRF check."""
    response = Client(enforce_csrf_checks=True).post("/__metrics__")
    assert (response.status_code, response.headers["Allow"]) == (405, "GET, HEAD")
    assert response.headers["Cache-Control"] == "no-store"
    assert list(response.json()) == ["error"]


@pytest.mark.django_db
def test_needs_no_login_and_no_query(client: Client, django_assert_num_queries):
    """A login that every view requires is not asked of Prometheus, and no database is."""
    middleware = [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.auth.middleware.LoginRequiredMiddleware",
    ]
    with override_settings(MIDDLEWARE=middleware), django_assert_num_queries(0):
        assert client.get("/plain/").status_code == 302
        assert client.get("/__metrics__").status_code == 200


def test_a_scrape_runs_no_check(client: Client, monkeypatch: pytest.MonkeyPatch):
    """However often Prometheus asks, only a heartbeat asks the services."""
    runs: list[bool] = []

    def check(app_configs, **kwargs):
        runs.append(True)
        return []

    with override_settings(
        DOCKERFLOW_CHECKS=[check],
        DOCKERFLOW_CHECK_TIMEOUT=10,
        DOCKERFLOW_PROBES={"readiness": [check]},
    ):
        for _ in range(3):
            client.get("/__metrics__")
        assert runs == []
        evaluate("readiness")
        client.get("/__metrics__")
        assert runs == [True]
    assert registry.HEARTBEAT == "heartbeat"
