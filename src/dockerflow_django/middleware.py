"""The one middleware: it answers the endpoints early and writes the summary of every request."""

import logging
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.apps import apps
from django.conf import settings
from django.core.handlers.exception import response_for_exception
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.context import RequestState
from dockerflow_django.endpoints import details
from dockerflow_django.endpoints.answers import (
    Answer,
    Endpoint,
    aanswer,
    answer,
    has_details,
)
from dockerflow_django.endpoints.paths import endpoints_in
from dockerflow_django.endpoints.responses import accepts_html, respond
from dockerflow_django.lifecycle import request_began, watch_loop
from dockerflow_django.summary import queries, record

__all__ = ["DockerflowMiddleware"]

GetResponse = Callable[[HttpRequest], Any]
Respond = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]

# What every endpoint's name begins with: most paths need no look at the table.
_MARK = "/__"
_STATUS_OF_NEWS = "info"

logger = logging.getLogger(__name__)


class DockerflowMiddleware:
    """Put it first in ``MIDDLEWARE``, or right after django-prometheus's."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        _warn_without_app()
        queries.count_from_now_on()
        record.tell_sentry()
        self._respond: Respond = self._srespond
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self._respond = self._arespond

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        """Answer, in the world of the handler."""
        return self._respond(request)

    def _srespond(self, request: HttpRequest) -> HttpResponseBase:
        state = record.begin(request)
        try:
            endpoint = _endpoint(request)
            if endpoint is None:
                state.progress = request_began()
                response: HttpResponseBase = self.get_response(request)
            else:
                response = _answer(endpoint, request, state)
            record.finish(request, response, state)
        except BaseException as error:
            record.fail(request, state, error)
            raise
        return response

    async def _arespond(self, request: HttpRequest) -> HttpResponseBase:
        state = record.begin(request)
        if conf.DOCKERFLOW_LIVENESS_STALL_SECONDS is not None:
            watch_loop()
        try:
            endpoint = _endpoint(request)
            if endpoint is None:
                state.progress = request_began()
                response: HttpResponseBase = await self.get_response(request)
            else:
                response = await _aanswer(endpoint, request, state)
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


def _endpoint(request: HttpRequest) -> Endpoint | None:
    path = request.path_info
    if _MARK not in path:
        return None
    endpoint = endpoints_in(settings.ROOT_URLCONF).get(path.removesuffix("/"))
    return None if endpoint is None or accepts_html(request) else endpoint


def _answer(endpoint: Endpoint, request: HttpRequest, state: RequestState) -> HttpResponse:
    state.is_health = True
    try:
        allowed = has_details(endpoint) and details.are_allowed(request)
        found = answer(endpoint, request.method or "", details=allowed)
    except Exception as error:  # noqa: BLE001 - Django answers and reports it, as a view's
        return response_for_exception(request, error)
    state.is_expected = _is_expected(endpoint, found)
    return respond(found, request.method)


async def _aanswer(endpoint: Endpoint, request: HttpRequest, state: RequestState) -> HttpResponse:
    state.is_health = True
    try:
        allowed = has_details(endpoint) and await details.aare_allowed(request)
        found = await aanswer(endpoint, request.method or "", details=allowed)
    except Exception as error:  # noqa: BLE001 - as above
        return await sync_to_async(response_for_exception, thread_sensitive=False)(request, error)
    state.is_expected = _is_expected(endpoint, found)
    return respond(found, request.method)


def _is_expected(endpoint: Endpoint, found: Answer) -> bool:
    """Tell whether a probe fails only because the process starts, drains or was set not ready."""
    return endpoint.name == "probe" and (found.payload or {}).get("status") == _STATUS_OF_NEWS
