"""Views whose bodies are made while they are sent."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from django.http import FileResponse, HttpRequest, StreamingHttpResponse

PARTS = (b"one\n", b"two\n", b"three\n")


def stream(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(iter(PARTS))


def stream_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_parts_async())


def stream_broken(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_broken_parts())


def stream_broken_async(request: HttpRequest) -> StreamingHttpResponse:
    return StreamingHttpResponse(_broken_parts_async())


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
