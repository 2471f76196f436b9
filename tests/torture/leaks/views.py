"""Views that tell the secret in the form of a request, in one of the ways of the table."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from tests.torture.leaks.ways import WAYS


def plain(request: HttpRequest, **parameters: str) -> HttpResponse:
    return HttpResponse("plain")


def tell(request: HttpRequest, way: str) -> HttpResponse:
    """Log or raise what was sent; the client is told that it was said."""
    WAYS[way](request, request.POST["secret"])
    return HttpResponse("said")


async def tell_async(request: HttpRequest, way: str) -> HttpResponse:
    await sync_to_async(WAYS[way])(request, request.POST["secret"])
    return HttpResponse("said")
