"""The one middleware: it answers the endpoints early and writes the summary of every request."""

from collections.abc import Awaitable, Callable
from typing import Any, cast

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dockerflow_django import details, summary
from dockerflow_django.endpoints import Endpoint, aanswer, answer, has_details
from dockerflow_django.lifecycle import request_began, request_ended
from dockerflow_django.responses import accepts_html, respond
from dockerflow_django.url_table import endpoints_in

GetResponse = Callable[[HttpRequest], Any]


class DockerflowMiddleware:
    """Put it first in ``MIDDLEWARE``, or right after django-prometheus's."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self._respond: Callable[[HttpRequest], Any] = self._arespond
        else:
            self._respond = self._srespond

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        return self._respond(request)

    def _srespond(self, request: HttpRequest) -> HttpResponseBase:
        started = summary.begin(request)
        endpoint = _endpoint(request)
        if endpoint is None:
            token = request_began()
            try:
                response = self.get_response(request)
            finally:
                request_ended(token)
        else:
            allowed = has_details(endpoint) and details.are_allowed(request)
            response = respond(
                answer(endpoint, request.method or "", details=allowed), request.method
            )
        summary.finish(request, response, started, is_health=endpoint is not None)
        return cast(HttpResponseBase, response)

    async def _arespond(self, request: HttpRequest) -> HttpResponseBase:
        started = summary.begin(request)
        endpoint = _endpoint(request)
        if endpoint is None:
            token = request_began()
            try:
                response = await self.get_response(request)
            finally:
                request_ended(token)
        else:
            allowed = has_details(endpoint) and await details.aare_allowed(request)
            found = await aanswer(endpoint, request.method or "", details=allowed)
            response = respond(found, request.method)
        summary.finish(request, response, started, is_health=endpoint is not None)
        return cast(HttpResponseBase, response)


def _endpoint(request: HttpRequest) -> Endpoint | None:
    path = request.path_info
    endpoint = endpoints_in(settings.ROOT_URLCONF).get(path.removesuffix("/"))
    return None if endpoint is None or accepts_html(request) else endpoint
