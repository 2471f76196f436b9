"""A streamed body: one summary, when its last part has been handed over, or when it breaks off."""

import asyncio
import gc
import io
import logging
import time
from contextlib import aclosing

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.core.handlers.wsgi import WSGIHandler
from django.http import FileResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.test import AsyncRequestFactory, Client, RequestFactory

from dockerflow_django.context import current_rid, leave
from dockerflow_django.middleware import DockerflowMiddleware
from tests.summaries import PATH, WORLDS, ask, recorded, serving

# Closing a response closes old connections, where a test before has made one.
pytestmark = pytest.mark.django_db
logger = logging.getLogger("tests.streaming")
PARTS = (b"one", b"two", b"three")
SIZE = sum(map(len, PARTS))


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


def parts(seconds=0.0, error=None):
    for part in PARTS:
        time.sleep(seconds)
        logger.info("part")
        yield part
    if error:
        raise error


async def parts_async(seconds=0.0, error=None):
    for part in PARTS:
        await asyncio.sleep(seconds)
        logger.info("part")
        yield part
    if error:
        raise error


MAKERS = {"sync": parts, "async": parts_async}


def stream(world, **more):
    """Return a view whose body is of that world."""
    return lambda request: StreamingHttpResponse(MAKERS[world](**more))


def respond(world, response):
    """Pass a response through the middleware of that world, without any handler."""
    if world == "sync":
        return DockerflowMiddleware(lambda request: response)(RequestFactory().get("/"))

    async def get_response(request):
        return response

    return asyncio.run(DockerflowMiddleware(get_response)(AsyncRequestFactory().get("/")))


def test_summary_follows_the_last_part(world):
    """The time is that of the whole body, and its bytes are counted."""
    with serving(stream(world, seconds=0.02)), recorded() as records:
        ask(world)
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.INFO, 200, 0)
    assert summary.size == SIZE
    assert 60 <= summary.t < 5000
    assert records.records[-1] is summary


def test_nothing_is_written_before_the_end(world):
    """While the body is on its way there is no line."""
    with recorded() as records:
        response = respond(world, StreamingHttpResponse(MAKERS[world]()))
        assert not records.summaries
        response.close()
    assert records.summary.errno == 499


def test_parts_are_made_with_the_requests_id(world):
    """What is logged while the body is made has the id; with django-structlog it has none."""
    with serving(stream(world)), recorded() as records:
        ask(world, headers={"X-Request-ID": "streamed"})
    assert [record.rid for record in records.of(logger.name)] == ["streamed"] * 3
    assert current_rid() is None


def test_parts_asked_for_after_the_request_have_its_id_and_leave_none(world):
    """Whoever reads the body later, in a thread of another request or of none, changes nothing."""
    response = respond(world, StreamingHttpResponse(MAKERS[world]()))
    leave()

    async def read():
        return [part async for part in response]

    with recorded() as records:
        assert (list(response) if world == "sync" else asyncio.run(read())) == [*PARTS]
    assert [record.rid for record in records.of(logger.name)] == [response["X-Request-ID"]] * 3
    assert current_rid() is None


def test_stream_that_fails_half_way_is_an_error(world):
    """The status that was sent stays, the number and the level say what became of it."""
    error = RuntimeError("broken half-way\nsecond line")
    raises = pytest.raises(RuntimeError, match="half-way")
    with serving(stream(world, error=error)), recorded() as records, raises:
        ask(world)
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.ERROR, 200, 500)
    assert summary.getMessage() == "RuntimeError: broken half-way"
    assert summary.size == SIZE


def test_cancelled_stream_is_a_client_gone():
    """A cancellation that finds the body waiting for its next part: 499."""

    async def endless():
        yield b"one"
        await asyncio.sleep(60)

    async def get_response(request):
        return StreamingHttpResponse(endless())

    async def main():
        request = AsyncRequestFactory().get("/")
        response = await DockerflowMiddleware(get_response)(request)
        begun = asyncio.Event()

        async def read():
            async with aclosing(aiter(response)) as content:
                async for _ in content:
                    begun.set()

        task = asyncio.create_task(read())
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with recorded() as records:
        asyncio.run(main())
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.WARNING, 200, 499)
    assert summary.size == len(b"one")
    assert summary.getMessage() == ""


def test_stream_closed_early_is_a_client_gone():
    """A server that stops to read, and closes: the status was sent, the client has gone."""
    with recorded() as records:
        response = respond("sync", StreamingHttpResponse(parts()))
        assert next(iter(response)) == b"one"
        response.close()
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.WARNING, 200, 499)
    assert summary.size == len(b"one")


def test_head_reads_no_body_and_is_no_failure():
    """A server that answers HEAD without reading the body has broken nothing off."""
    with serving(stream("sync")), recorded() as records:
        assert ask("sync", method="HEAD").status_code == 200
    assert (records.summary.errno, records.summary.size) == (0, 0)
    assert current_rid() is None


def test_iterator_of_the_other_world_ends_with_the_response():
    """Django has read it all before the first part goes out; the end is the response's."""
    with recorded() as records:
        response = respond("async", StreamingHttpResponse(parts()))
        assert list(response) == [*PARTS]
        assert not records.summaries
        response.close()
    assert (records.summary.errno, records.summary.size) == (0, SIZE)


def test_replaced_stream_has_a_summary_at_once(world):
    """A middleware above that drops the response, and never closes it, costs no line."""
    with serving(stream(world), above=["tests.around.Replacing"]), recorded() as records:
        assert ask(world).content == b"replaced"
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.INFO, 200, 0)
    assert summary.size == 0


def test_stream_dropped_half_way_is_a_client_gone(world):
    """A task that the server throws away reads no further, and nothing closes the response."""
    response = respond(world, StreamingHttpResponse(MAKERS[world]()))

    async def read_one(response):
        async with aclosing(aiter(response)) as content:
            await anext(content)

    with recorded() as records:
        if world == "sync":
            next(iter(response))
        else:
            asyncio.run(read_one(response))
        assert not records.summaries
        del response
        gc.collect()
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.WARNING, 200, 499)


def test_file_keeps_the_servers_wrapper():
    """`wsgi.file_wrapper` gets the file itself, and the summary its length: django-structlog."""
    given = []

    class Wrapper:
        def __init__(self, file, block_size):
            given.append(file)
            self.close = file.close

    file = io.BytesIO(b"0123456789")
    environ = RequestFactory().get(PATH).environ | {"wsgi.file_wrapper": Wrapper}
    with serving(lambda request: FileResponse(file)), recorded() as records:
        body = WSGIHandler()(environ, lambda status, headers: None)
        assert given == [file]
        assert not records.summaries
        body.close()
    assert (records.summary.errno, records.summary.size) == (0, 10)
    assert current_rid() is None


def test_file_without_wrapper_has_a_summary(world):
    """Where the server has no wrapper the file is read like any stream."""
    with serving(lambda request: FileResponse(io.BytesIO(b"0123456789"))), recorded() as records:
        ask(world)
    assert (records.summary.errno, records.summary.size) == (0, 10)


def test_size_of_a_file_that_does_not_say_is_left_out():
    """What cannot be known is absent."""
    response = FileResponse(io.BytesIO(b"0123456789"))
    del response["Content-Length"]
    with recorded() as records:
        respond("sync", response).close()
    assert not hasattr(records.summary, "size")


def test_resources_are_closed_as_without_us():
    """The project's generator is ended with the response."""
    ended = []

    def generator():
        try:
            yield from PARTS
        finally:
            ended.append(True)

    response = respond("sync", StreamingHttpResponse(generator()))
    next(iter(response))
    response.close()
    assert ended == [True]


async def test_asgi_handler_closes_a_stream_whose_client_has_gone():
    """Django tells a stream by closing the response: 499, whether or not a part was under way."""
    gone, begun = asyncio.Event(), asyncio.Event()

    async def endless():
        while True:
            yield b"part"
            await asyncio.sleep(0.01)

    messages = iter([{"type": "http.request"}])

    async def receive():
        for message in messages:
            return message
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        if message.get("body"):
            begun.set()

    async def client():
        await begun.wait()
        gone.set()

    scope = AsyncRequestFactory().get(PATH).scope
    with serving(lambda request: StreamingHttpResponse(endless())), recorded() as records:
        async with asyncio.timeout(10):
            await asyncio.gather(ASGIHandler()(scope, receive, send), client())
    summary = records.summary
    assert (summary.levelno, summary.code, summary.errno) == (logging.WARNING, 200, 499)


def test_size_is_that_of_what_is_sent():
    """Text counts as encoded, and memory by its bytes."""
    body = ["höhe", 12, memoryview(bytearray(8)).cast("I"), b"12"]
    with serving(lambda request: StreamingHttpResponse(body)), recorded() as records:
        ask("sync")
    assert records.summary.size == 5 + 2 + 8 + 2


def test_stream_of_the_projects_own_class_ends_with_the_response():
    """A class that is no StreamingHttpResponse is not touched, and told when it is closed."""

    class Own(HttpResponseBase):
        streaming = True
        is_async = False

        def __iter__(self):
            return iter(PARTS)

    with recorded() as records:
        response = respond("sync", Own())
        assert list(response) == [*PARTS]
        response.close()
    assert records.summary.errno == 0
    assert not hasattr(records.summary, "size")


def test_test_client_closes_what_it_does_not_read():
    """A response that a project's own test leaves unread has its line when it is closed."""
    with serving(stream("sync")), recorded() as records:
        response = Client().get(PATH)
        response.close()
    assert records.summary.errno == 499
