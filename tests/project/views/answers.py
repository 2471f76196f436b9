"""Views that answer at once, in every manner a view can answer or fail."""

import gc
import os
import threading
from typing import NoReturn

from django.core.exceptions import PermissionDenied
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseNotFound,
    HttpResponsePermanentRedirect,
    JsonResponse,
)

LEAKING = "no route to postgres://shop:planted-password@db/shop?password=planted-again"


def plain(request: HttpRequest) -> HttpResponse:
    """Answer without a query, a session or a user."""
    return HttpResponse("plain")


async def plain_async(request: HttpRequest) -> HttpResponse:
    return HttpResponse("plain")


def where(request: HttpRequest) -> JsonResponse:
    """Tell where the request has arrived: its paths, process and thread, and all threads' names."""
    return JsonResponse(
        {
            "script_name": request.META.get("SCRIPT_NAME", ""),
            "path": request.path,
            "path_info": request.path_info,
            "pid": os.getpid(),
            "thread": threading.get_native_id(),
            "threads": {t.native_id: t.name for t in threading.enumerate() if t.native_id},
        }
    )


def collect(request: HttpRequest) -> HttpResponse:
    """Run a full garbage collection."""
    return HttpResponse(str(gc.collect()))


def moved(request: HttpRequest) -> HttpResponse:
    return HttpResponsePermanentRedirect("/plain/")


def missing_raised(request: HttpRequest) -> NoReturn:
    raise Http404("no such thing")


def missing_returned(request: HttpRequest) -> HttpResponse:
    return HttpResponseNotFound("no such thing")


def forbidden(request: HttpRequest) -> NoReturn:
    raise PermissionDenied("not for you")


def broken(request: HttpRequest) -> NoReturn:
    raise RuntimeError("s3cret in the text of an exception")


async def broken_async(request: HttpRequest) -> NoReturn:
    raise RuntimeError("s3cret in the text of an exception")


def leaking(request: HttpRequest) -> NoReturn:
    """Raise, as a database driver does, with its connection string."""
    raise OSError(LEAKING)


def unavailable(request: HttpRequest) -> HttpResponse:
    return HttpResponse("later", status=503)


def too_large(request: HttpRequest) -> HttpResponse:
    return HttpResponse("too large", status=413)


def echo(request: HttpRequest) -> HttpResponse:
    """Answer the body; above ``DATA_UPLOAD_MAX_MEMORY_SIZE`` Django itself refuses it."""
    return HttpResponse(request.body, content_type="application/octet-stream")


def item(request: HttpRequest, pk: int) -> HttpResponse:
    return HttpResponse(str(pk))


def reset(request: HttpRequest, uidb64: str, token: str) -> HttpResponse:
    """Answer below a path that holds secrets, as Django's password reset does."""
    return HttpResponse("reset")
