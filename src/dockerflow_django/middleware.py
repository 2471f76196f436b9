"""The one middleware: it answers the endpoints early and writes the summary of every request."""

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import apps
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.endpoints.early import early_endpoint
from dockerflow_django.endpoints.endpoint import Endpoint
from dockerflow_django.lifecycle import request_started, watch_loop
from dockerflow_django.summary import queries, record

__all__ = ["DockerflowMiddleware"]

GetResponse = Callable[[HttpRequest], Any]

logger = logging.getLogger(__name__)


class DockerflowMiddleware:
    """Answer the endpoints early, give each request an id, and log one summary for each.

    Put it first in ``MIDDLEWARE``, or right after django-prometheus's first one. It works under
    WSGI and ASGI, without a change of threads.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        _warn_without_app()
        queries.count_from_now_on()
        self._is_async = iscoroutinefunction(get_response)
        if self._is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer, in the world of the handler."""
        if self._is_async:
            return self._arespond(request)
        state = record.start(request)
        try:
            endpoint = early_endpoint(request)
            if endpoint is None:
                state.progress = request_started()
                response: HttpResponseBase = self.get_response(request)
            else:
                response = _answer(request, endpoint)
            record.finish(request, response, state)
        except BaseException as error:
            record.fail(request, state, error)
            raise
        return response

    async def _arespond(self, request: HttpRequest) -> HttpResponseBase:
        state = record.start(request)
        if conf.DOCKERFLOW_LIVENESS_STALL_SECONDS is not None:
            watch_loop()
        try:
            endpoint = early_endpoint(request)
            if endpoint is None:
                state.progress = request_started()
                response: HttpResponseBase = await self.get_response(request)
            else:
                response = await _aanswer(request, endpoint)
            record.finish(request, response, state)
        except BaseException as error:
            record.fail(request, state, error)
            raise
        return response


@cache
def _warn_without_app() -> None:
    """Say once in a process that the app is missing: without it no system check can."""
    if not apps.is_installed("dockerflow_django"):
        logger.warning(
            "The middleware of dockerflow_django is used, but the app is not installed: there are "
            "no system checks, no commands, no log lines about health, no webhooks and no metrics. "
            "Add 'dockerflow_django' to INSTALLED_APPS."
        )


keeps("_warn_without_app", after_fork=False)(_warn_without_app.cache_clear)


def _answer(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    # The heartbeat is imported when it is first asked for.
    from dockerflow_django.endpoints.responses import respond

    try:
        return respond(request, endpoint)
    except Exception as error:  # noqa: BLE001 - Django answers and reports it, as a view's
        return response_for_exception(request, error)


async def _aanswer(request: HttpRequest, endpoint: Endpoint) -> HttpResponse:
    from dockerflow_django.endpoints.responses import arespond

    try:
        return await arespond(request, endpoint)
    except Exception as error:  # noqa: BLE001 - as above
        return await sync_to_async(response_for_exception, thread_sensitive=False)(request, error)
