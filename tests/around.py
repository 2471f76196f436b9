"""Middleware to put around the one under test, each for both worlds."""

import logging
from collections.abc import Callable
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

logger = logging.getLogger("tests.around")


class _Around:
    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
            self.respond = self.arespond

    def __call__(self, request: HttpRequest) -> Any:
        return self.respond(request)

    def respond(self, request: HttpRequest) -> Any:
        return self.after(request, self.get_response(request))

    async def arespond(self, request: HttpRequest) -> Any:
        return self.after(request, await self.get_response(request))

    def after(self, request: HttpRequest, response: Any) -> Any:
        raise NotImplementedError  # pragma: no cover - each below has its own


class Raising(_Around):
    """Raise before the view is asked."""

    def __call__(self, request: HttpRequest) -> Any:
        raise RuntimeError("raised in a middleware")


class RaisingAfter(_Around):
    """Raise when the view has answered."""

    def after(self, request: HttpRequest, response: Any) -> Any:
        raise RuntimeError("raised after the view")


class Nothing(_Around):
    """Forget to return the response."""

    def after(self, request: HttpRequest, response: Any) -> Any:
        return None


class Replacing(_Around):
    """Answer something else, and never read or close what came from below."""

    def after(self, request: HttpRequest, response: Any) -> Any:
        return HttpResponse("replaced")


class Redirecting(_Around):
    """Redirect before anything is resolved."""

    def __call__(self, request: HttpRequest) -> Any:
        return self.now(HttpResponseRedirect("https://testserver/"))

    def now(self, response: HttpResponse) -> Any:
        async def later() -> HttpResponse:
            return response

        return later() if iscoroutinefunction(self) else response


class Speaking(_Around):
    """Log when the response passes."""

    def after(self, request: HttpRequest, response: Any) -> Any:
        logger.info("after")
        return response


def sync_only(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Be a middleware that Django must call in a thread under ASGI."""

    def middleware(request: HttpRequest) -> Any:
        return get_response(request)

    return middleware
