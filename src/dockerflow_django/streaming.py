"""Learn when a streamed body ends and how, whoever reads it, and where nobody does.

It ends when a part is asked for after the last, when it raises, or when the response is closed. One
that nobody closes ends when Python frees it: another middleware has put its own response in its
place, or the server has cancelled the whole task.
"""

import weakref
from collections.abc import AsyncIterator, Iterator
from typing import Protocol, Self

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from dockerflow_django.context import RequestState, pause, resume


class Write(Protocol):
    """What writes the summary: `size` in bytes where known, `error` where the body broke off."""

    def __call__(
        self,
        request: HttpRequest,
        response: HttpResponseBase,
        state: RequestState,
        *,
        size: int | None,
        error: BaseException | None = None,
    ) -> None:
        """Write it."""


def follow(
    request: HttpRequest, response: StreamingHttpResponse, state: RequestState, write: Write
) -> None:
    """Have `write` called once, when the stream ends."""
    ending = _Ending(request, response, state, write)
    response._resource_closers.append(ending.close)  # type: ignore[attr-defined]  # noqa: SLF001
    if getattr(response, "file_to_stream", None) is not None:
        # Left as it is: to wrap it would lose `wsgi.file_wrapper`. Nobody tells what was read.
        ending.size = _announced_size(response)
        ending.is_read = True
    elif response.is_async:
        response.streaming_content = _AsyncParts(response, ending)
    else:
        response.streaming_content = _Parts(response, ending)


def _announced_size(response: HttpResponseBase) -> int | None:
    length = str(response.headers.get("Content-Length", ""))
    return int(length) if length.isdecimal() else None


class _Ending:
    """The end of one stream; whoever sees it first tells it.

    An iterator of the other world, synchronous under ASGI or asynchronous under WSGI, is read to
    its end by Django before the first part goes out: only `close` comes after the last one then.
    """

    def __init__(
        self,
        request: HttpRequest,
        response: StreamingHttpResponse,
        state: RequestState,
        write: Write,
    ) -> None:
        self.state = state
        self.size: int | None = 0
        self.is_begun = False
        self.is_read = False
        self._is_sent_while_read = response.is_async == hasattr(request, "scope")
        self._request = request
        # Weak, for the response holds this object: so it is freed at once where nobody closes it.
        self._response = weakref.ref(response)
        self._code = response.status_code
        self._write = write

    def add(self, part: bytes) -> None:
        """Count a part."""
        self.size = (self.size or 0) + len(part)

    def read(self) -> None:
        """Note that all parts have been asked for."""
        self.is_read = True
        if self._is_sent_while_read:
            self.tell()

    def close(self) -> None:
        """End with the response; where it was to have no body, none was broken off."""
        is_whole = self.is_read or self._request.method == "HEAD"
        self.tell(None if is_whole else GeneratorExit())

    def __del__(self) -> None:
        is_whole = self.is_read or not self.is_begun
        self.tell(None if is_whole else GeneratorExit())

    def tell(self, error: BaseException | None = None) -> None:
        """Write the summary, unless it is written."""
        if not self.state.is_over:
            response = self._response() or HttpResponse(status=self._code)
            size = 0 if self._request.method == "HEAD" else self.size
            self._write(self._request, response, self.state, size=size, error=error)


class _Parts:
    """The parts of a synchronous body, made while the request is the current one."""

    def __init__(self, response: StreamingHttpResponse, ending: _Ending) -> None:
        self._parts: Iterator[bytes] = iter(response.streaming_content)  # type: ignore[arg-type]
        self._ending = ending

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> bytes:
        ending = self._ending
        ending.is_begun = True
        resumed = resume(ending.state)
        try:
            part = next(self._parts)
        except StopIteration:
            ending.read()
            raise
        except BaseException as error:
            ending.tell(error)
            raise
        finally:
            pause(resumed)
        ending.add(part)
        return part


class _AsyncParts:
    """The same of an asynchronous body."""

    def __init__(self, response: StreamingHttpResponse, ending: _Ending) -> None:
        self._parts: AsyncIterator[bytes] = aiter(response.streaming_content)  # type: ignore[arg-type]
        self._ending = ending

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        ending = self._ending
        ending.is_begun = True
        resumed = resume(ending.state)
        try:
            part = await anext(self._parts)
        except StopAsyncIteration:
            ending.read()
            raise
        except BaseException as error:
            ending.tell(error)
            raise
        finally:
            pause(resumed)
        ending.add(part)
        return part
