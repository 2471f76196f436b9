"""Learn when a streamed body ends and how, whoever reads it, and if nobody does.

It ends when a part is asked for after the last, when it raises, or when the response is closed. One
that nobody closes ends when Python frees it: another middleware has put its own response in its
place, or the server has cancelled the whole task.
"""

import weakref
from collections.abc import AsyncIterator, Iterator
from itertools import takewhile
from typing import Any, Protocol, Self

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from dockerflow_django.context.requests import (
    Activation,
    RequestState,
    activate,
    adopt_rid,
    end_request,
    note_failure,
    restore,
)


class Write(Protocol):
    """What writes the summary: `size` in bytes if known, `error` if the body broke off."""

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


def follow(request: HttpRequest, response: Any, state: RequestState, write: Write) -> None:
    """Have `write` called once, when the streamed response ends."""
    ending = _Ending(request, response, state, write)
    response._resource_closers.append(ending.close)  # noqa: SLF001 - as `streaming_content` does
    parts = getattr(response, "_iterator", None)
    if parts is None or getattr(response, "file_to_stream", None) is not None:
        # Left as it is: wrapped, a file would lose `wsgi.file_wrapper`. What was read, nobody says.
        ending.size = ending.announced
        ending.is_read = True
        return
    ending.has_own_parts = _has_own_parts(type(response))
    wrapper = _AsyncParts if response.is_async else _Parts
    # `streaming_content` would give an iterator that holds the response which holds it.
    response._iterator = wrapper(parts, ending)  # noqa: SLF001


def _has_own_parts(kind: type) -> bool:
    """Tell whether a subclass may send other parts than those that it was given.

    Django's class is not asked: an agent may have put ways of its own there.
    """
    own = takewhile(lambda each: each is not StreamingHttpResponse, kind.__mro__)
    return any(not _WAYS.isdisjoint(vars(each)) for each in own)


_WAYS = frozenset({"__iter__", "__aiter__", "streaming_content"})


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
        response: Any,
        state: RequestState,
        write: Write,
    ) -> None:
        self.state = state
        self.size: int | None = 0
        self.is_begun = False
        self.is_read = False
        self.has_own_parts = False
        self.announced = _announced_size(response)
        is_async, is_asgi = getattr(response, "is_async", False), hasattr(request, "scope")
        self._is_sent_while_read = is_async == is_asgi
        self._is_read_before_it_is_served = is_async and not is_asgi
        self._request = request
        # The response holds this object: weak, so that Python frees both at once.
        self._response = weakref.ref(response)
        self._code = response.status_code
        self._charset = response.charset
        self._write = write

    def add(self, part: Any) -> None:
        """Count a part as Django will send it; raise as Django will if it cannot be encoded."""
        is_binary = isinstance(part, (bytes, memoryview))
        size = memoryview(part).nbytes if is_binary else len(str(part).encode(self._charset))
        self.size = (self.size or 0) + size

    def read(self) -> None:
        """Note that all parts have been asked for."""
        self.is_read = True
        if self._is_sent_while_read:
            self.tell()

    def fail(self, error: BaseException) -> None:
        """Break off."""
        self.tell(error)
        if self._is_read_before_it_is_served:
            # Granian has no iterator then that it would close, so nothing else ends the request.
            end_request()
            note_failure()

    def close(self) -> None:
        """End with the response; if it was to have no body, none was broken off."""
        is_whole = self.is_read or self._request.method == "HEAD"
        if self.has_own_parts and not self.is_begun:
            self.size, is_whole = self.announced, True
        self.tell(None if is_whole else GeneratorExit())

    def __del__(self) -> None:
        is_whole = self.is_read or not self.is_begun
        self.tell(None if is_whole else GeneratorExit())

    def tell(self, error: BaseException | None = None) -> None:
        """Write the summary, unless it is written."""
        if not self.state.is_over:
            adopt_rid(self.state)
            response = self._response() or HttpResponse(status=self._code)
            size = 0 if self._request.method == "HEAD" else self.size
            self._write(self._request, response, self.state, size=size, error=error)


class _Reading:
    """The reading of one part, during which its request is the current one.

    A class, because `@contextmanager` takes StopIteration for an error of its own.
    """

    def __init__(self, ending: _Ending) -> None:
        self._ending = ending
        self._activation: Activation = None

    def __enter__(self) -> None:
        self._ending.is_begun = True
        self._activation = activate(self._ending.state)
        self._ending.state.is_running = True

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        self._ending.state.is_running = False
        try:
            if isinstance(error, StopIteration | StopAsyncIteration):
                self._ending.read()
            elif error is not None:
                self._ending.fail(error)
        finally:
            restore(self._activation)


class _Parts:
    """The parts of a synchronous body."""

    def __init__(self, parts: Iterator[Any], ending: _Ending) -> None:
        self._parts = parts
        self._ending = ending

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Any:
        with _Reading(self._ending):
            part = next(self._parts)
            self._ending.add(part)
        return part


class _AsyncParts:
    """The parts of an asynchronous body."""

    def __init__(self, parts: AsyncIterator[Any], ending: _Ending) -> None:
        self._parts = parts
        self._ending = ending

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Any:
        with _Reading(self._ending):
            part = await anext(self._parts)
            self._ending.add(part)
        return part
