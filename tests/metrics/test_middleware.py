"""django-prometheus's middlewares with bounded labels, sync and async."""

from collections.abc import Iterator
from contextlib import contextmanager

import asgiref.sync
import pytest
from asgiref.sync import SyncToAsync, async_to_sync
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.test import AsyncClient, Client, override_settings
from django.urls import path
from django_prometheus.testutils import assert_metric_diff, save_registry
from prometheus_client import REGISTRY

BEFORE = "dockerflow_django.metrics.middleware.PrometheusBeforeMiddleware"
AFTER = "dockerflow_django.metrics.middleware.PrometheusAfterMiddleware"
LATENCY = "django_http_requests_latency_seconds_by_view_method"


def plain(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


def broken(request: HttpRequest) -> HttpResponse:
    raise RuntimeError


def missing(request: HttpRequest) -> HttpResponse:
    raise Http404


def templated(request: HttpRequest) -> HttpResponse:
    return _Templated(request)


class _Templated(TemplateResponse):
    def __init__(self, request: HttpRequest) -> None:
        super().__init__(request, "none.html")

    @property
    def rendered_content(self) -> str:
        return "rendered"


async def plain_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


urlpatterns = [
    path("plain/", plain, name="plain"),
    path("plain-async/", plain_async, name="plain-async"),
    path("broken/", broken, name="broken"),
    path("missing/", missing, name="missing"),
    path("templated/", templated, name="templated"),
]


@pytest.fixture(params=["sync", "async"])
def ask(request: pytest.FixtureRequest) -> Iterator:
    """Give a client of either world, as a function of method, path and headers."""

    def ask(method: str, path: str, headers: dict[str, str] | None = None) -> HttpResponse:
        if request.param == "sync":
            client = Client(raise_request_exception=False)
            return client.generic(method, path, headers=headers)
        return async_to_sync(_ask)(method, path, headers)

    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=[BEFORE, AFTER]):
        yield ask


async def _ask(method: str, path: str, headers: dict[str, str] | None) -> HttpResponse:
    client = AsyncClient(raise_request_exception=False)
    return await client.generic(method, path, headers=headers)


@contextmanager
def counted(name: str, difference: float, **labels: str) -> Iterator[None]:
    registry = save_registry()
    yield
    assert_metric_diff(registry, difference, name, **labels)


def test_made_up_methods_are_one_series(ask):
    """The latency has one more method label, however many methods a client makes up."""
    with counted(f"{LATENCY}_count", 20, view="plain", method="<invalid method>"):
        for number in range(20):
            assert ask(f"MADEUP{number}", "/plain/").status_code == 200
    labels = [s.labels for metric in REGISTRY.collect() for s in metric.samples]
    assert not [found for found in labels if "MADEUP" in found.get("method", "")]


@pytest.mark.parametrize(
    ("view", "kind", "status"), [("broken", "RuntimeError", "500"), ("missing", "Http404", "404")]
)
def test_an_exception_counts_once(ask, view: str, kind: str, status: str):
    """A view that raises is one request, one exception, one answer and one duration."""
    with (
        counted(f"{LATENCY}_count", 1, view=view, method="GET"),
        counted("django_http_exceptions_total_by_type_total", 1, type=kind),
        counted("django_http_exceptions_total_by_view_total", 1, view=view),
        counted("django_http_responses_total_by_status_total", 1, status=status),
        counted("django_http_requests_before_middlewares_total", 1),
        counted("django_http_responses_before_middlewares_total", 1),
    ):
        assert ask("GET", f"/{view}/").status_code == int(status)


@pytest.mark.parametrize("length", ["", "much", "1e3", "5"])
def test_a_length_that_is_no_number_is_no_error(ask, length: str):
    """What a client claims of its body does not decide whether it is answered."""
    with counted(f"{LATENCY}_count", 1, view="plain", method="GET"):
        assert ask("GET", "/plain/", {"Content-Length": length}).status_code == 200


def test_views_and_templates_are_counted(ask):
    """The hooks that Django calls between request and response work in both worlds."""
    with (
        counted(
            "django_http_requests_total_by_view_transport_method_total",
            1,
            view="templated",
            transport="http",
            method="GET",
        ),
        counted("django_http_responses_total_by_templatename_total", 1, templatename="none.html"),
    ):
        assert ask("GET", "/templated/").content == b"rendered"


@pytest.mark.parametrize(
    ("middleware", "hops"),
    [
        ([BEFORE, AFTER], 0),
        # What this test would see if it were not so.
        (
            [f"django_prometheus.middleware.{path.rpartition('.')[2]}" for path in (BEFORE, AFTER)],
            5,
        ),
    ],
)
async def test_no_thread_is_asked(
    monkeypatch: pytest.MonkeyPatch, middleware: list[str], hops: int
):
    """Under ASGI an async view is measured without a change of thread."""
    changes: list[object] = []

    class Counting(SyncToAsync):
        async def __call__(self, *arguments, **keywords):
            changes.append(self.func)
            return await super().__call__(*arguments, **keywords)

    monkeypatch.setattr(asgiref.sync, "SyncToAsync", Counting)
    with override_settings(ROOT_URLCONF=__name__, MIDDLEWARE=middleware):
        client = AsyncClient()
        await client.get("/plain-async/")
        changes.clear()
        assert (await client.get("/plain-async/")).status_code == 200
    own = [change for change in changes if "rometheus" in repr(change)]
    assert len(own) == hops
