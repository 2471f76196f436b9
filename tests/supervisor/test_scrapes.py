"""Scrapes on the probe port: one worker reads the folder of all, and the probes go on beside it."""

import threading
from collections.abc import Callable

import pytest

from tests.harness import http
from tests.harness.project import Project
from tests.harness.served import Served
from tests.serve.conftest import served  # noqa: F401

Serve = Callable[..., Served]

MANY_SERIES = """
from tests.project.wsgi import application
from prometheus_client import Histogram

views = Histogram("views_seconds", "As django-prometheus has it.", ["view", "method"])
for number in range({views}):
    views.labels(f"shop:view-{{number}}", "GET").observe(0.1)
"""
SCRAPES = 8
URLS = """
from django.urls import include, path
from tests.project.urls import urlpatterns as others

urlpatterns = [path("", include("dockerflow_django.metrics.urls")), *others]
"""


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "serve-asgi", "gunicorn"])
def test_metrics_on_the_probe_port(served: Serve, kind: str) -> None:
    """The probe port answers a scrape, in Prometheus's format, for the worker that serves."""
    instance = served(kind=kind)
    assert instance.probe("readiness").status == 200
    found = http.request(instance.probe_address, "GET", "/__metrics__")
    assert found.status == 200
    assert found.headers["Content-Type"].startswith("text/plain")
    assert b"dockerflow_ready 1.0" in found.body


@pytest.mark.long
@pytest.mark.parametrize("kind", ["serve-wsgi", "gunicorn"])
def test_scrapes_of_a_large_project(served: Serve, project: Project, kind: str) -> None:
    """Scrapes succeed on both ports, and no probe waits for one.

    How long they take is measured by ``tests/torture/test_scrapes.py``.
    """
    workers, views = "2", 300
    folder = project.folder
    (folder / "many.py").write_text(MANY_SERIES.format(views=views))
    (folder / "many_urls.py").write_text(URLS)
    (folder / "values").mkdir()
    (folder / "values" / "counter_1.db").write_bytes(b"of an earlier life")
    large = project.with_settings(
        WSGI_APPLICATION="many.application", ROOT_URLCONF="many_urls"
    ).with_environ(PROMETHEUS_MULTIPROC_DIR=str(folder / "values"))
    application = "many:application" if kind == "gunicorn" else ""
    instance = served("--workers", workers, kind=kind, project=large, application=application)
    assert not (folder / "values" / "counter_1.db").exists()

    def scrape(address: http.Address, **more: str) -> http.Answer:
        return http.request(address, "GET", "/__metrics__", timeout=30, headers=more)

    found = scrape(instance.probe_address)
    assert found.body.count(b"views_seconds_count") >= views
    assert scrape(instance.address).body.count(b"views_seconds_count") >= views
    zipped = scrape(
        instance.probe_address,
        **{"Accept": "application/openmetrics-text", "Accept-Encoding": "gzip"},
    )
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert zipped.headers["Content-Type"].startswith("application/openmetrics-text")
    assert len(zipped.body) < len(found.body) / 3

    scraping = threading.Thread(
        target=lambda: [scrape(instance.probe_address) for _ in range(SCRAPES)],
    )
    scraping.start()
    beside: list[http.Answer] = []
    while scraping.is_alive():
        beside.append(instance.probe("liveness"))
    scraping.join()
    assert {answer.status for answer in beside} == {200}
    # Behind scrapes there would be about one of them for each.
    assert len(beside) > 3 * SCRAPES
