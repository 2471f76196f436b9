"""Views that take their time: so many seconds, or until the test releases them."""

import asyncio
import ctypes
import threading
import time
from typing import NoReturn

from django.http import HttpRequest, HttpResponse

from tests.project import files


def slow(request: HttpRequest) -> HttpResponse:
    """Leave a line in ``slow.waiting``, then sleep."""
    files.count("slow.waiting")
    time.sleep(_seconds(request))
    return HttpResponse("slow")


async def slow_async(request: HttpRequest) -> HttpResponse:
    files.count("slow.waiting")
    await asyncio.sleep(_seconds(request))
    return HttpResponse("slow")


async def cancelled_async(request: HttpRequest) -> NoReturn:
    """Cancel the request's own task, as a server does that gives up."""
    task = asyncio.current_task()
    assert task
    task.cancel()
    await asyncio.sleep(0)
    raise AssertionError("not cancelled")


async def stall_loop(request: HttpRequest) -> HttpResponse:
    """Block the event loop, as no view should."""
    time.sleep(_seconds(request))  # noqa: ASYNC251 - that is the point
    return HttpResponse("stalled")


def blocked(request: HttpRequest) -> HttpResponse:
    """Leave a line in ``<name>.waiting``, answer once ``<name>.release`` is there."""
    name = request.GET.get("name", "blocked")
    files.count(f"{name}.waiting")
    files.wait_for(f"{name}.release")
    return HttpResponse("released")


async def blocked_async(request: HttpRequest) -> HttpResponse:
    name = request.GET.get("name", "blocked")
    files.count(f"{name}.waiting")
    await files.await_for(f"{name}.release")
    return HttpResponse("released")


def upload(request: HttpRequest) -> HttpResponse:
    """Leave a line in ``<name>.waiting``, and read the body."""
    files.count(f"{request.GET['name']}.waiting")
    return HttpResponse(str(len(request.body)))


def _seconds(request: HttpRequest) -> float:
    return min(float(request.GET.get("seconds", "0.5")), 30)


def burn(request: HttpRequest) -> HttpResponse:
    """Keep so many threads of pure Python busy, this one among them.

    For so many seconds; or each leaves a line in ``<name>.waiting``, until ``<name>.release``.
    """
    name = request.GET.get("name")
    ends_at = time.monotonic() + float(request.GET.get("seconds", files.LONGEST_WAIT_SECONDS))

    def work() -> None:
        if name:
            files.count(f"{name}.waiting")
        while time.monotonic() < ends_at and not (name and files.is_there(f"{name}.release")):
            for _ in range(1000):
                sum(range(1000))

    for _ in range(int(request.GET["threads"]) - 1):
        threading.Thread(target=work, daemon=True).start()
    work()
    return HttpResponse("burnt")


def hold_interpreter(request: HttpRequest) -> HttpResponse:
    """Call into C that does not let go of the interpreter for so long."""
    ctypes.PyDLL(None).usleep(int(float(request.GET["seconds"]) * 1e6))
    return HttpResponse("held")
