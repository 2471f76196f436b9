"""A stream's summary is written once, at its end, whoever brings that about and however.

python-dockerflow writes it with the headers, django-structlog without a duration.
"""

import asyncio
import functools
import gc
import logging
from contextlib import aclosing

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import override_settings

from dockerflow_django.context import current_rid
from dockerflow_django.context.requests import (
    end_request,
    has_summary,
    on_request_started,
    start_request,
)
from dockerflow_django.lifecycle import process
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary.streaming import follow
from tests.summary.drive import asgi, begin_wsgi

INFO, WARNING, ERROR = logging.INFO, logging.WARNING, logging.ERROR


def facts(records):
    """Return what the only record says of the end."""
    (record,) = records
    return record.code, record.errno, record.levelno, getattr(record, "size", None)


def streamed(make_request, response, method="GET"):
    """Send the response through the synchronous middleware."""
    return DockerflowMiddleware(lambda request: response)(make_request(method=method))


async def astreamed(async_rf, response, method="GET"):
    """Send the response through the asynchronous middleware."""

    async def answer(request):
        return response

    return await DockerflowMiddleware(answer)(async_rf.generic(method, "/"))


async def parts(*values):
    """Yield the values; raise what is an exception."""
    for value in values:
        await asyncio.sleep(0)
        if isinstance(value, BaseException):
            raise value
        yield value


def failing(*values, error):
    """Yield the values, then raise."""
    yield from values
    raise error


async def never():
    """Yield once, then wait for ever."""
    yield b"one"
    await asyncio.Event().wait()


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_stream_is_whole(ask, summaries):
    """All went out: its size, INFO, once."""
    assert ask("/stream/").body == b"onethree"
    assert facts(summaries) == (200, 0, INFO, 8)


def test_a_stream_is_written_at_its_end(make_request, summaries):
    """Not before the part after the last is asked for, with the time until then (D36)."""
    response = streamed(make_request, StreamingHttpResponse(iter([b"one", b"two"])))
    content = iter(response)
    assert (next(content), next(content), summaries) == (b"one", b"two", [])
    assert process.requests_in_progress == 1
    assert next(content, None) is None
    assert facts(summaries) == (200, 0, INFO, 6)
    response.close()
    assert len(summaries) == 1


async def test_an_asynchronous_stream_is_written_at_its_end(async_rf, summaries):
    """The same in the event loop."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one", b"two")))
    content = aiter(response)
    assert [await anext(content), await anext(content)] == [b"one", b"two"]
    assert (summaries, process.requests_in_progress) == ([], 1)
    assert await anext(content, None) is None
    assert facts(summaries) == (200, 0, INFO, 6)
    response.close()
    assert len(summaries) == 1


@pytest.mark.parametrize("status", [404, 503])
def test_a_stream_may_be_an_error(make_request, summaries, status):
    """Its status counts as any other's (D7)."""
    b"".join(streamed(make_request, StreamingHttpResponse([b"a"], status=status)))
    assert facts(summaries) == (status, status, ERROR if status == 503 else INFO, 1)


def test_a_stream_that_fails_is_an_error(ask_native, summaries):
    """The status is out, and is told; what went wrong is too, without its secret."""
    with pytest.raises(LookupError):
        ask_native("/stream-failing/")
    assert facts(summaries) == (200, 500, ERROR, 3)
    assert summaries[0].getMessage() == "LookupError: token=[redacted]"
    assert (current_rid(), process.requests_in_progress) == (None, 0)


@pytest.fixture(params=["wsgi", "asgi"])
def ask_native(request):
    """Ask for a stream of the server's own world, one after the other."""

    async def send(message):
        await asyncio.sleep(0)

    def ask(url):
        if request.param == "asgi":
            return asyncio.run(asgi(f"/async{url}", send))
        response = begin_wsgi(url)
        try:
            return b"".join(response)
        finally:
            response.close()

    return ask


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (KeyboardInterrupt(), (500, ERROR)),
        (SystemExit(), (500, ERROR)),
        (GeneratorExit(), (499, WARNING)),
    ],
)
def test_whatever_a_stream_raises_goes_on(make_request, summaries, error, expected):
    """It is written, and raised."""
    response = streamed(make_request, StreamingHttpResponse(failing(b"one", error=error)))
    with pytest.raises(type(error)):
        b"".join(response)
    response.close()
    assert facts(summaries)[1:3] == expected


async def test_an_asynchronous_stream_that_fails_is_written_once(async_rf, summaries):
    """The closing after it changes nothing."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one", LookupError("two"))))
    content = aiter(response)
    assert await anext(content) == b"one"
    with pytest.raises(LookupError):
        await anext(content)
    response.close()
    assert facts(summaries) == (200, 500, ERROR, 3)


async def test_a_cancelled_stream_is_a_warning(async_rf, summaries):
    """The server cancels the task while a part is made: 499, and the status as it was sent."""
    response = await astreamed(async_rf, StreamingHttpResponse(never()))
    content = aiter(response)
    await anext(content)
    task = asyncio.ensure_future(anext(content))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert facts(summaries) == (200, 499, WARNING, 3)
    assert process.requests_in_progress == 0


async def test_a_client_that_hangs_up_ends_the_stream(summaries, monkeypatch):
    """Through Django's handler: cancelled, closed, written once."""

    async def answer(self, request):
        return StreamingHttpResponse(never())

    monkeypatch.setattr(ASGIHandler, "_get_response_async", answer)
    gone = asyncio.Event()

    async def send(message):
        if message.get("body"):
            gone.set()

    await asyncio.wait_for(asgi("/", send, gone), 10)
    assert facts(summaries) == (200, 499, WARNING, 3)


async def test_a_client_that_hangs_up_while_a_part_is_sent(summaries):
    """The stream waits for nothing then; that it is closed early tells."""
    gone = asyncio.Event()

    async def send(message):
        if message.get("body"):
            gone.set()
            await asyncio.Event().wait()

    await asyncio.wait_for(asgi("/async/stream/", send, gone), 10)
    assert facts(summaries) == (200, 499, WARNING, 3)


def test_a_stream_that_is_closed_early_is_a_warning(summaries):
    """A WSGI server closes what it could not send."""
    response = begin_wsgi("/stream/")
    next(iter(response))
    response.close()
    assert facts(summaries) == (200, 499, WARNING, 3)
    assert process.requests_in_progress == 0


def test_a_stream_that_is_never_read_is_a_warning(summaries):
    """Closed before its first part, nothing went out."""
    begin_wsgi("/stream/").close()
    assert facts(summaries) == (200, 499, WARNING, 0)
    assert current_rid() is None


async def test_an_asynchronous_stream_that_is_closed_early(async_rf, summaries):
    """The same in the event loop."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one", b"two")))
    async with aclosing(aiter(response)) as content:
        await anext(content)
    response.close()
    assert facts(summaries) == (200, 499, WARNING, 3)


def test_a_stream_that_is_freed_half_read_is_a_warning(make_request, summaries):
    """The server has dropped it without a word; its summary and its place are not lost."""
    response = streamed(make_request, StreamingHttpResponse(iter([b"one", b"two"])))
    content = iter(response)
    next(content)
    del response, content
    gc.collect()
    assert facts(summaries) == (200, 499, WARNING, 3)
    assert process.requests_in_progress == 0


@pytest.mark.long
async def test_an_asynchronous_stream_that_is_freed_half_read(async_rf, summaries):
    """The same in the event loop."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one", b"two")))
    content = aiter(response)
    await anext(content)
    del response, content
    for _ in range(10):  # the event loop closes what is freed, one generator after the other
        gc.collect()
        await asyncio.sleep(0)
    assert facts(summaries) == (200, 499, WARNING, 3)


def test_a_stream_that_is_replaced_ends_with_its_status(make_request, summaries):
    """An outer middleware answered otherwise: nobody went away, nobody read."""
    response = streamed(make_request, StreamingHttpResponse([b"one"], status=202))
    del response
    gc.collect()
    assert facts(summaries) == (202, 0, INFO, 0)
    assert process.requests_in_progress == 0


@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_an_asynchronous_stream_that_fails_under_wsgi_leaves_no_id(summaries):
    """Granian asks for an iterator, gets an exception, and so has nothing that it would close."""
    body = begin_wsgi("/async/stream-failing/")
    with pytest.raises(LookupError):
        iter(body)
    assert current_rid() is None
    body.close()
    assert has_summary()  # runserver logs after that
    on_request_started()
    assert not has_summary()
    assert facts(summaries)[1:3] == (500, ERROR)


def test_a_stream_that_fails_is_the_requests_until_it_is_closed(summaries):
    """What a server logs of the failure has the id of the request."""
    body = begin_wsgi("/stream-failing/", HTTP_X_REQUEST_ID="abc")
    with pytest.raises(LookupError):
        b"".join(body)
    assert (current_rid(), summaries[0].rid) == ("abc", "abc")
    body.close()
    assert current_rid() is None


@pytest.mark.parametrize("begun", [True, False])
def test_a_stream_that_is_freed_ends_at_once(make_request, summaries, begun):
    """No cycle keeps it: a server that is shut down may never collect one."""
    middleware = DockerflowMiddleware(lambda request: StreamingHttpResponse(iter([b"one"])))
    gc.disable()
    try:
        response = middleware(make_request())
        if begun:
            next(iter(response))
        del response
        assert len(summaries) == 1
    finally:
        gc.enable()


async def test_an_asynchronous_stream_that_is_freed_ends_at_once(async_rf, summaries):
    """The same in the event loop."""

    async def answer(request):
        return StreamingHttpResponse(parts(b"one"))

    gc.disable()
    try:
        response = await DockerflowMiddleware(answer)(async_rf.get("/"))
        del response
        assert len(summaries) == 1
    finally:
        gc.enable()


def test_the_size_of_a_stream_is_what_is_sent(make_request, summaries):
    """Text counts as it is encoded, memory by its bytes, anything else by its text."""
    body = ["grün", memoryview(bytearray(8)).cast("I"), b"12", 345]
    assert len(b"".join(streamed(make_request, StreamingHttpResponse(body)))) == 18
    assert facts(summaries) == (200, 0, INFO, 18)


def test_a_stream_of_the_projects_own_class_is_not_touched(make_request, summaries):
    """What is no `StreamingHttpResponse` is read as it is; its closing is its end."""

    class Own(HttpResponseBase):
        streaming = True

        def __iter__(self):
            return iter([b"one"])

    response = streamed(make_request, Own())
    assert list(response) == [b"one"]
    assert summaries == []
    response.close()
    assert facts(summaries) == (200, 0, INFO, None)


class OwnParts(StreamingHttpResponse):
    def __iter__(self):
        return iter([b"one", b"two"])

    async def __aiter__(self):
        for part in (b"one", b"two"):
            yield part


class OwnContent(StreamingHttpResponse):
    @property
    def streaming_content(self):
        return parts(b"one", b"two") if self.is_async else iter([b"one", b"two"])

    @streaming_content.setter
    def streaming_content(self, value):
        self._set_streaming_content(value)


class OwnWay(StreamingHttpResponse):
    def __iter__(self):
        yield from super().__iter__()

    async def __aiter__(self):
        async for part in super().__aiter__():
            yield part


@pytest.mark.parametrize("kind", [OwnParts, OwnContent])
@pytest.mark.parametrize("length", [None, 6])
def test_a_subclass_may_send_parts_of_its_own(make_request, summaries, kind, length):
    """What it was given nobody reads: that tells nothing, and its closing is its end."""
    response = kind()
    if length:
        response.headers["Content-Length"] = length
    response = streamed(make_request, response)
    assert b"".join(response) == b"onetwo"
    response.close()
    assert facts(summaries) == (200, 0, INFO, length)


@pytest.mark.parametrize("kind", [OwnParts, OwnContent])
async def test_an_asynchronous_subclass_may_send_parts_of_its_own(async_rf, summaries, kind):
    """The same in the event loop."""
    response = await astreamed(async_rf, kind(parts()))
    assert [part async for part in response] == [b"one", b"two"]
    response.close()
    assert facts(summaries) == (200, 0, INFO, None)


class Agent:
    """A wrapper as monitoring agents put it on a class: each look gives another object."""

    def __init__(self, wrapped):
        self.wrapped = wrapped

    def __get__(self, instance, owner=None):
        return functools.partial(self.wrapped, instance)


@pytest.mark.parametrize("kind", [StreamingHttpResponse, FileResponse])
def test_an_agent_may_patch_django_s_class(make_request, summaries, monkeypatch, kind):
    """The parts are those that were given, and one that breaks off is seen."""
    monkeypatch.setattr(StreamingHttpResponse, "__iter__", Agent(StreamingHttpResponse.__iter__))
    response = streamed(make_request, kind(iter([b"one", b"two"])))
    response.close()
    assert facts(summaries) == (200, 499, WARNING, 0)


async def test_an_agent_may_patch_django_s_asynchronous_way(async_rf, summaries, monkeypatch):
    """The same in the event loop."""
    monkeypatch.setattr(StreamingHttpResponse, "__aiter__", Agent(StreamingHttpResponse.__aiter__))
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one")))
    response.close()
    assert facts(summaries) == (200, 499, WARNING, 0)


def test_a_subclass_may_send_what_it_was_given(make_request, summaries):
    """In a way of its own: then it is known how far it came."""
    response = streamed(make_request, OwnWay(iter([b"one", b"two"])))
    assert next(iter(response)) == b"one"
    response.close()
    assert facts(summaries) == (200, 499, WARNING, 3)


async def test_an_asynchronous_subclass_may_send_what_it_was_given(async_rf, summaries):
    """The same in the event loop."""
    response = await astreamed(async_rf, OwnWay(parts(b"one", LookupError("two"))))
    with pytest.raises(LookupError):
        [part async for part in response]
    response.close()
    assert facts(summaries) == (200, 500, ERROR, 3)


@pytest.mark.parametrize("read", [True, False])
def test_a_head_request_has_no_stream_to_break_off(make_request, summaries, read):
    """Servers close it unread, or read it in vain."""
    response = streamed(make_request, StreamingHttpResponse(iter([b"one"])), "HEAD")
    if read:
        list(response)
    response.close()
    assert facts(summaries) == (200, 0, INFO, 0)


async def test_an_asynchronous_head_request_has_none_either(async_rf, summaries):
    """The same in the event loop."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts(b"one")), "HEAD")
    response.close()
    assert facts(summaries) == (200, 0, INFO, 0)


def test_a_synchronous_stream_under_asgi_ends_when_it_is_sent(async_rf, summaries):
    """Django reads it whole before the first part goes out: its closing is the end."""
    response = asyncio.run(astreamed(async_rf, StreamingHttpResponse(iter([b"one", b"two"]))))
    assert (b"".join(response), summaries) == (b"onetwo", [])
    response.close()
    assert facts(summaries) == (200, 0, INFO, 6)


def test_an_asynchronous_stream_under_wsgi_ends_when_it_is_sent(make_request, summaries):
    """The same the other way round."""
    response = streamed(make_request, StreamingHttpResponse(parts(b"one", b"two")))
    with pytest.warns(Warning, match="must consume asynchronous iterators"):
        assert list(response) == [b"one", b"two"]
    assert summaries == []
    response.close()
    assert facts(summaries) == (200, 0, INFO, 6)


def test_an_asynchronous_stream_that_fails_under_wsgi_leaves_the_thread(make_request, summaries):
    """Django reads it before the server has what it could close: the failure is the end."""
    response = streamed(make_request, StreamingHttpResponse(parts(b"one", LookupError("two"))))
    with (
        pytest.warns(Warning, match="must consume asynchronous iterators"),
        pytest.raises(LookupError),
    ):
        list(response)
    assert facts(summaries) == (200, 500, ERROR, 3)
    assert (current_rid(), process.requests_in_progress) == (None, 0)


def test_a_stream_of_the_other_world_is_freed_after_reading(async_rf, summaries):
    """All of it was asked for, so that it was not closed is no breaking off."""
    response = asyncio.run(astreamed(async_rf, StreamingHttpResponse(iter([b"one"]))))
    list(response)
    del response
    gc.collect()
    assert facts(summaries) == (200, 0, INFO, 3)


class Wrapper:
    """A server's `wsgi.file_wrapper`, which sends files by itself."""

    def __init__(self, file, block_size):
        self.file = file


def test_a_file_stays_one_for_the_server(summaries):
    """What the server gets is its own wrapper round the file itself (django-structlog wraps it)."""
    wrapped = begin_wsgi("/file/", **{"wsgi.file_wrapper": Wrapper})
    assert isinstance(wrapped, Wrapper)
    assert wrapped.file.read() == b"0123456789"
    assert summaries == []
    wrapped.file.close()
    assert facts(summaries) == (200, 0, INFO, 10)
    assert (process.requests_in_progress, current_rid()) == (0, None)


def test_a_file_keeps_its_file_to_stream(make_request, summaries, tmp_path):
    """The response is the same as without the middleware; its length is the size."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        response = streamed(make_request, FileResponse(file))
        assert response.file_to_stream is file
        assert b"".join(response) == b"0123456789"
        response.close()
    assert facts(summaries) == (200, 0, INFO, 10)


@pytest.mark.parametrize("length", [None, "", "many", "-1", "1.5"])
def test_a_file_of_unknown_length_has_no_size(make_request, summaries, tmp_path, length):
    """A response says it, or nobody knows."""
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    with path.open("rb") as file:
        response = FileResponse(file)
        del response.headers["Content-Length"]
        if length is not None:
            response.headers["Content-Length"] = length
        streamed(make_request, response).close()
    assert facts(summaries) == (200, 0, INFO, None)


def test_a_stream_goes_on_in_its_own_request(make_request):
    """A server may read it in another thread or between others: its records have its id."""
    seen = []

    def content():
        seen.append(current_rid())
        yield b"one"

    response = streamed(make_request, StreamingHttpResponse(content()))
    end_request()
    start_request("other", None)
    assert list(response) == [b"one"]
    assert seen == [response.headers["X-Request-ID"]]
    assert current_rid() == "other"


async def test_an_asynchronous_stream_goes_on_in_its_own_request(async_rf):
    """The same in the event loop, and after an exception."""
    seen = []

    async def content():
        seen.append(current_rid())
        yield b"one"
        raise LookupError

    response = await astreamed(async_rf, StreamingHttpResponse(content()))
    start_request("other", None)
    with pytest.raises(LookupError):
        [part async for part in response]
    assert seen == [response.headers["X-Request-ID"]]
    assert current_rid() == "other"


def test_the_close_of_a_stream_is_still_its_request(summaries):
    """What the view's `finally` does has the id; after it nothing has."""
    seen = []

    class Content:
        def __iter__(self):
            return iter([b"one"])

        def close(self):
            seen.append(current_rid())

    def answer(request):
        return StreamingHttpResponse(Content())

    class Middleware(DockerflowMiddleware):
        def __init__(self, get_response):
            super().__init__(answer)

    path = f"{__name__}.closing_middleware"
    globals()["closing_middleware"] = Middleware
    try:
        with override_settings(MIDDLEWARE=[path]):
            response = begin_wsgi("/")
    finally:
        del globals()["closing_middleware"]
    list(response)
    response.close()
    assert (seen, current_rid()) == ([summaries[0].rid], None)


def test_the_first_end_counts(make_request):
    """The writer hears of one end, with the response where it still lives."""
    told = []
    response, state = StreamingHttpResponse([b"one"]), start_request(None, None)

    def write(request, response, state, *, size, error=None):
        state.is_over = True
        told.append((response, size, error))

    follow(make_request(), response, state, write)
    list(response)
    response.close()
    assert told == [(response, 3, None)]


def test_without_the_response_its_status_is_left(make_request):
    """The writer gets a response in any case."""
    told = []

    def write(request, response, state, *, size, error=None):
        state.is_over = True
        told.append((type(response), response.status_code, size, error))

    follow(
        make_request(), StreamingHttpResponse([b"a"], status=202), start_request(None, None), write
    )
    gc.collect()
    assert told == [(HttpResponse, 202, 0, None)]


class Unprintable:
    """A part that has no text."""

    def __str__(self):
        raise ValueError("no text")


@pytest.mark.parametrize(
    "part", ["\ud800", "\u20ac", Unprintable()], ids=["surrogate", "euro", "unprintable"]
)
def test_a_part_that_cannot_be_encoded_is_our_error(make_request, summaries, part):
    """Not a client that went: the view has made what nobody can send."""
    response = StreamingHttpResponse(["one", part], content_type="text/plain; charset=latin-1")
    streamed(make_request, response)
    with pytest.raises(ValueError):  # noqa: PT011 - UnicodeEncodeError is one
        b"".join(response)
    response.close()
    assert facts(summaries)[:3] == (200, 500, ERROR)
    assert "Error" in summaries[0].getMessage()


async def test_nor_in_an_asynchronous_stream(async_rf, summaries):
    """The same under ASGI."""
    response = await astreamed(async_rf, StreamingHttpResponse(parts("one", "\ud800")))
    with pytest.raises(UnicodeEncodeError):
        [part async for part in response]
    response.close()
    assert facts(summaries)[:3] == (200, 500, ERROR)


def test_a_charset_that_nobody_knows_is_our_error(make_request, summaries):
    """It is found out when the first part is to be encoded."""
    response = StreamingHttpResponse(["one"], content_type="text/plain; charset=klingon")
    streamed(make_request, response)
    with pytest.raises(LookupError):
        b"".join(response)
    response.close()
    assert facts(summaries)[:3] == (200, 500, ERROR)
