"""Views whose bodies are made while they are sent."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from django.http import FileResponse, HttpRequest, StreamingHttpResponse

from tests.project import files

PARTS = (b"one\n", b"two\n", b"three\n")
# More than the buffers of a connection hold.
LONG_PARTS = 200
LONG_PART = b"x" * 2**16


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
    """Send one part, and many long ones once ``<name>.release`` is there."""
    return StreamingHttpResponse(_long_parts(request.GET["name"]))


def stream_long_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_long_parts_async(request.GET["name"]))


def file(request: HttpRequest) -> FileResponse:
    return FileResponse(Path(__file__).open("rb"), content_type="text/plain")


async def _parts_async() -> AsyncIterator[bytes]:
    for part in PARTS:
        yield part


def _broken_parts() -> Iterator[bytes]:
    yield PARTS[0]
    raise RuntimeError("broken half-way")


async def _broken_parts_async() -> AsyncIterator[bytes]:
    yield PARTS[0]
    raise RuntimeError("broken half-way")


def _slow_parts() -> Iterator[bytes]:
    for part in PARTS:
        time.sleep(0.1)
        yield part


async def _slow_parts_async() -> AsyncIterator[bytes]:
    for part in PARTS:
        await asyncio.sleep(0.1)
        yield part


def _long_parts(name: str) -> Iterator[bytes]:
    yield PARTS[0]
    files.wait_for(f"{name}.release")
    for _ in range(LONG_PARTS):
        yield LONG_PART


async def _long_parts_async(name: str) -> AsyncIterator[bytes]:
    yield PARTS[0]
    await files.await_for(f"{name}.release")
    for _ in range(LONG_PARTS):
        yield LONG_PART
