"""Views for every way in which a request can end, each synchronous and below `async/` not."""

import asyncio
import functools
import logging
import tempfile
from typing import Any

from asgiref.sync import sync_to_async
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.db import connection
from django.http import (
    FileResponse,
    Http404,
    HttpResponse,
    HttpResponseNotFound,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.urls import include, path, re_path

from dockerflow_django.context import current_rid, current_trace

logger = logging.getLogger("shop")


class HaltError(BaseException):
    """What no `except Exception` catches."""


def plain(request, **kwargs):
    return HttpResponse("plain")


def redirect(request):
    return HttpResponseRedirect("/plain/")


def missing_raised(request):
    raise Http404("no such shop")


def missing_returned(request):
    return HttpResponseNotFound("no such shop")


def denied(request):
    raise PermissionDenied("not you")


def suspicious(request):
    raise SuspiciousOperation("odd")


def broken(request):
    raise RuntimeError("cannot reach db://shop:hunter2@db/ with password=hunter2\nhunter2 again")


def unavailable(request):
    return HttpResponse("later", status=503)


def halt(request):
    raise HaltError("halt")


def rid(request):
    logger.warning("in the view")
    trace = current_trace()
    return JsonResponse({"rid": current_rid(), "trace": trace and list(trace)})


def session(request):
    request.session.get("basket")
    return HttpResponse("read")


async def asession(request):
    await request.session.aget("basket")
    return HttpResponse("read")


def user(request):
    return HttpResponse(str(request.user.pk))


async def auser(request):
    return HttpResponse(str((await request.auser()).pk))


def query(how_many=1):
    with connection.cursor() as cursor:
        for _ in range(how_many):
            cursor.execute("SELECT 1")


def queries(request):
    query(3)
    return HttpResponse("three")


async def aqueries(request):
    await asyncio.gather(sync_to_async(query)(1), sync_to_async(query)(2))
    return HttpResponse("three")


def _parts(failing=False):
    yield b"one"
    logger.warning("in the stream")
    if failing:
        raise LookupError("token=hunter2")
    yield b"three"


async def _aparts(failing=False):
    for part in _parts(failing):
        await asyncio.sleep(0)
        yield part


def stream(request, failing=False):
    return StreamingHttpResponse(_parts(failing))


async def astream(request, failing=False):
    return StreamingHttpResponse(_aparts(failing))


def file(request):
    content = tempfile.TemporaryFile()  # noqa: SIM115 - the response closes it
    content.write(b"0123456789")
    content.seek(0)
    return FileResponse(content)


def _asynchronous(view: Any) -> Any:
    @functools.wraps(view)
    async def answer(request, **kwargs):
        return view(request, **kwargs)

    return answer


def _both(route: str, view: Any, asynchronous: Any = None, **kwargs: Any) -> list[Any]:
    return [
        path(route, view, kwargs),
        path(f"async/{route}", asynchronous or _asynchronous(view), kwargs),
    ]


urlpatterns = [
    path("", include("dockerflow_django.urls")),
    *_both("plain/", plain),
    *_both("redirect/", redirect),
    *_both("missing-raised/", missing_raised),
    *_both("missing-returned/", missing_returned),
    *_both("denied/", denied),
    *_both("suspicious/", suspicious),
    *_both("broken/", broken),
    *_both("unavailable/", unavailable),
    *_both("halt/", halt),
    *_both("rid/", rid),
    *_both("session/", session, asession),
    *_both("user/", user, auser),
    *_both("queries/", queries, aqueries),
    *_both("stream/", stream, astream),
    *_both("stream-failing/", stream, astream, failing=True),
    *_both("file/", file),
    *_both("reset/<uidb64>/<token>/", plain),
    *_both("items/<int:pk>/", plain),
    re_path(r"^keys/(?P<key>[^/]+)/?$", plain),
]
