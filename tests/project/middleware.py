"""A middleware that fails by itself, before any view is asked."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponse

RAISING_PATH = "/raised-in-middleware/"


class RaisingMiddleware:
    """Raise for one path, in both worlds."""

    async_capable = True
    sync_capable = True

    def __init__(
        self, get_response: Callable[[HttpRequest], HttpResponse | Awaitable[HttpResponse]]
    ) -> None:
        self.get_response = get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        if request.path_info == RAISING_PATH:
            raise RuntimeError("raised in a middleware")
        return self.get_response(request)
