"""django-prometheus's two middlewares, with three faults of its own kept out.

A client that makes up methods multiplied the series of the latency, a view that raised was timed
twice, and a ``Content-Length`` that is no number was an error 500. Under ASGI neither changes
threads: all they do is to add to numbers in memory.
"""

from collections.abc import Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django_prometheus import middleware
from django_prometheus.utils import Time

__all__ = ["PrometheusAfterMiddleware", "PrometheusBeforeMiddleware"]


class _WithoutThreads:
    """Do in the event loop what `MiddlewareMixin` sends to a thread."""

    get_response: Callable[[HttpRequest], Any]
    process_request: Callable[[HttpRequest], None]
    process_response: Callable[[HttpRequest, HttpResponseBase], HttpResponseBase]

    async def __acall__(self, request: HttpRequest) -> HttpResponseBase:
        self.process_request(request)
        return self.process_response(request, await self.get_response(request))


class PrometheusBeforeMiddleware(_WithoutThreads, middleware.PrometheusBeforeMiddleware):  # type: ignore[misc]
    """django-prometheus's middleware of that name; put it first in ``MIDDLEWARE``."""


class PrometheusAfterMiddleware(_WithoutThreads, middleware.PrometheusAfterMiddleware):  # type: ignore[misc]
    """django-prometheus's middleware of that name; put it last in ``MIDDLEWARE``."""

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        super().__init__(get_response)
        self._series: dict[tuple[Any, ...], Any] = {}
        if iscoroutinefunction(get_response):
            # Bound methods: Django looks whose they are.
            self.process_view = self._aprocess_view
            self.process_template_response = self._aprocess_template_response

    def label_metric(
        self, metric: Any, request: HttpRequest, response: Any = None, **labels: Any
    ) -> Any:
        """Bound the one label that a client chooses, and look each series up but once."""
        if not labels:
            return metric
        if "method" in labels:
            labels["method"] = self._method(request)
        key = (metric, *labels.items())
        if key not in self._series:
            self._series[key] = super().label_metric(metric, request, response, **labels)
        return self._series[key]

    def process_request(self, request: HttpRequest) -> None:
        """Count the request, whatever length it claims to have."""
        try:
            super().process_request(request)
        except ValueError:
            request.prometheus_after_middleware_event = Time()  # type: ignore[attr-defined]

    def process_exception(self, request: HttpRequest, exception: Exception) -> None:
        """Count the exception; the request is timed once, with its response."""
        kind, view = type(exception).__name__, self._get_view_name(request)
        self.label_metric(self.metrics.exceptions_by_type, request, type=kind).inc()
        self.label_metric(self.metrics.exceptions_by_view, request, view=view).inc()

    async def _aprocess_view(self, *arguments: Any) -> None:
        super().process_view(*arguments)

    async def _aprocess_template_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        return cast(HttpResponseBase, super().process_template_response(request, response))
