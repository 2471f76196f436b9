"""Views whose bodies are made while they are sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from django.conf import settings
from django.http import FileResponse, HttpRequest, StreamingHttpResponse

from tests.project import files
from tests.project.views.answers import LEAKING

PARTS = (b"one\n", b"two\n", b"three\n")
# More than the buffers of a connection hold.
LONG_PARTS = 200
LONG_PART = b"x" * 2**16
# A gigabyte: nobody reads it.
ENDLESS_PARTS = 2**14


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(PARTS))


def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_parts_async())


def stream_broken(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_broken_parts())


def stream_broken_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_broken_parts_async())


def stream_slow(request: HttpRequest) -> StreamingHttpResponse:
    """Take 0.1 s for each part."""
    return StreamingHttpResponse(_slow_parts())


def stream_slow_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_slow_parts_async())


def stream_long(request: HttpRequest) -> StreamingHttpResponse:
    """Leave a line in ``<name>.waiting``; send one part, and long ones after ``<name>.release``.

    The line is there when the stream is read, for a client that leaves before that leaves the view.
    """
    return StreamingHttpResponse(_long_parts(request.GET["name"]))


def stream_long_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_long_parts_async(request.GET["name"]))


def stream_endless(request: HttpRequest) -> StreamingHttpResponse:
    """Send more than the buffers of a connection hold, until the client goes."""
    return StreamingHttpResponse(_endless_parts())


def stream_endless_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_endless_parts_async())


def stream_leaking(request: HttpRequest) -> StreamingHttpResponse:
    """Fail half-way, as a database driver does, with its connection string."""
    return StreamingHttpResponse(_leaking_parts())


def file(request: HttpRequest) -> FileResponse:
    """Send a file of the project's folder, by default this one."""
    path = Path(settings.BASE_DIR) / request.GET.get("name", __file__)
    return FileResponse(path.open("rb"), content_type="text/plain")


async def _parts_async() -> AsyncIterator[bytes]:
    for part in PARTS:
        yield part


def _broken_parts() -> Iterator[bytes]:
    yield PARTS[0]
    raise RuntimeError("broken half-way")


async def _broken_parts_async() -> AsyncIterator[bytes]:
    yield PARTS[0]
    raise RuntimeError("broken half-way")


def _leaking_parts() -> Iterator[bytes]:
    yield PARTS[0]
    raise OSError(LEAKING)


def _slow_parts() -> Iterator[bytes]:
    for part in PARTS:
        time.sleep(0.1)
        yield part


async def _slow_parts_async() -> AsyncIterator[bytes]:
    for part in PARTS:
        await asyncio.sleep(0.1)
        yield part


def _long_parts(name: str) -> Iterator[bytes]:
    files.count(f"{name}.waiting")
    yield PARTS[0]
    files.wait_for(f"{name}.release")
    for _ in range(LONG_PARTS):
        yield LONG_PART


async def _long_parts_async(name: str) -> AsyncIterator[bytes]:
    files.count(f"{name}.waiting")
    yield PARTS[0]
    await files.await_for(f"{name}.release")
    for _ in range(LONG_PARTS):
        yield LONG_PART


def _endless_parts() -> Iterator[bytes]:
    for _ in range(ENDLESS_PARTS):
        yield LONG_PART


async def _endless_parts_async() -> AsyncIterator[bytes]:
    for _ in range(ENDLESS_PARTS):
        # As a generator does that waits for what it sends: else the event loop may not turn.
        await asyncio.sleep(0)
        yield LONG_PART
