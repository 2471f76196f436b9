"""When the record is written, how, and what is not done for it."""

import logging
import uuid
from asyncio import CancelledError
from contextvars import copy_context

import pytest
from django.http import HttpResponse, StreamingHttpResponse
from django.template import engines
from django.template.response import TemplateResponse
from django.test import override_settings

from dockerflow_django.context import current_rid, request_id_context
from dockerflow_django.context.requests import end_request, start_request
from dockerflow_django.lifecycle import process
from dockerflow_django.logging import MozlogFormatter, RequestIdLogFilter
from dockerflow_django.logging.content import LEFT_BY_FORMATTERS, SUMMARY_LAST
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary import record
from dockerflow_django.summary.record import (
    SUMMARY_LOGGER,
    fail,
    finish,
    start,
)
from tests.logging.lines import fields_of


@pytest.fixture
def answered(make_request, summaries):
    """Answer a request with this response, and return the record."""

    def answer(response, method="GET"):
        DockerflowMiddleware(lambda request: response)(make_request(method=method))
        (record,) = summaries
        return record

    return answer


def test_the_record_is_of_its_logger(answered):
    """By its name projects choose where it goes; no frame is looked up for it."""
    record = answered(HttpResponse("four"))
    assert (record.name, record.args, record.exc_info) == (SUMMARY_LOGGER, (), None)
    assert (record.pathname, record.lineno) == ("(unknown file)", 0)


def test_the_record_is_mozlog(ask, summaries):
    """Every record is a valid line, and the fields are where the contract has them (D29)."""
    for url in ("/plain/", "/broken/", "/nowhere/"):
        ask(url, X_Request_ID="abc", User_Agent="curl/8")
    for each in summaries:
        fields = fields_of(MozlogFormatter(logger_name="tests").format(each))
        assert (fields["rid"], fields["agent"], fields["code"]) == ("abc", "curl/8", each.code)


@pytest.mark.parametrize("body", [b"", b"four", "grün", b"a" * 100_000])
def test_the_size_is_the_bodys(answered, body):
    """In bytes."""
    response = HttpResponse(body)
    assert answered(response).size == len(response.content)


def test_a_head_request_has_no_body(answered):
    """What a view made for it does not go out."""
    assert answered(HttpResponse("four"), "HEAD").size == 0


def test_what_is_not_rendered_has_no_size(answered, rf):
    """The middleware renders nothing."""
    template = engines["django"].from_string("text")
    assert not hasattr(answered(TemplateResponse(rf.get("/"), template)), "size")


def test_a_response_of_another_kind_has_no_size(answered):
    """A project's own class may have no content to measure."""

    class Odd(HttpResponse):
        @property
        def content(self):
            raise NotImplementedError

        @content.setter
        def content(self, value): ...

    assert not hasattr(answered(Odd()), "size")


@pytest.mark.parametrize("wanted", ["theirs", uuid.UUID(int=7), 7])
def test_an_id_that_the_project_sets_is_the_requests(make_request, summaries, wanted):
    """In the header, the summary and the records about the request, whatever its type."""
    request = make_request(X_Request_ID="abc")
    state, response = start(request), HttpResponse()
    request_id_context.set(wanted)
    finish(request, response, state)
    assert response.headers["X-Request-ID"] == summaries[0].rid == str(wanted)
    record = logging.makeLogRecord({"request": request})
    end_request()
    assert RequestIdLogFilter().filter(record)
    assert record.rid == str(wanted)


def test_an_id_that_is_no_headers_value_is_not_sent(make_request, summaries):
    """It must not cost the response."""
    request = make_request()
    state, response = start(request), HttpResponse()
    request_id_context.set("a\nb")
    finish(request, response, state)
    assert "X-Request-ID" not in response.headers
    assert summaries[0].rid == "a\nb"


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_header_no_id_is_taken_or_returned(make_request, name):
    """Neither from the client nor to it; the records have one all the same."""
    with override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME=name):
        request = make_request(X_Request_ID="abc")
        state, response = start(request), HttpResponse()
        finish(request, response, state)
    assert "X-Request-ID" not in response.headers
    assert len(state.rid) == 32


@pytest.mark.parametrize("sent", [f"00-{'1' * 32}-{'2' * 16}-01", "odd", ""])
def test_the_trace_is_that_of_the_header(make_request, summaries, sent):
    """If it is valid."""
    request = make_request(Traceparent=sent)
    finish(request, HttpResponse(), start(request))
    trace = [getattr(summaries[0], name, "") for name in ("trace_id", "span_id")]
    assert trace == (["1" * 32, "2" * 16] if sent.startswith("00") else ["", ""])


def test_the_request_has_its_id(make_request):
    """For the log filter, and under python-dockerflow's name."""
    request = make_request(X_Request_ID="abc")
    start(request)
    assert (request._dockerflow_rid, request._id, current_rid()) == ("abc", "abc", "abc")


def test_a_request_is_written_once(make_request, summaries):
    """Whoever tells of its end again is too late."""
    request = make_request()
    state = start(request)
    finish(request, HttpResponse(), state)
    finish(request, HttpResponse(status=500), state)
    fail(request, state, LookupError())
    assert [record.code for record in summaries] == [200]


def test_a_logger_that_is_off_costs_no_fields(make_request, summaries, monkeypatch):
    """Nothing is made for nobody; the request has its id, and ends."""
    monkeypatch.setattr(record, "fields_of", pytest.fail)
    logging.getLogger(SUMMARY_LOGGER).setLevel(logging.CRITICAL)
    middleware = DockerflowMiddleware(lambda request: HttpResponse(status=503))
    assert middleware(make_request(X_Request_ID="abc")).headers["X-Request-ID"] == "abc"
    assert (summaries, process.requests_in_progress) == ([], 0)


@pytest.mark.parametrize(("level", "codes"), [("WARNING", [500]), ("INFO", [200, 500])])
def test_the_loggers_level_counts(make_request, summaries, level, codes):
    """Who wants failures alone gets them."""
    logging.getLogger(SUMMARY_LOGGER).setLevel(level)
    for status in (200, 500):
        response = HttpResponse(status=status)
        DockerflowMiddleware(lambda request, response=response: response)(make_request())
    assert [record.code for record in summaries] == codes


class Breaks(logging.Filter):
    """A project's filter that takes each record for another's."""

    asked = 0

    def filter(self, record):
        self.asked += 1
        return not record.args[0].startswith("GET /static/")


@pytest.fixture
def breaking(summaries):
    """Give the logger a filter that raises."""
    logger, breaks = logging.getLogger(SUMMARY_LOGGER), Breaks()
    logger.addFilter(breaks)
    yield breaks
    logger.removeFilter(breaks)


@pytest.mark.parametrize("url", ["/plain/", "/stream/"])
@pytest.mark.filterwarnings("ignore:StreamingHttpResponse must consume:Warning")
def test_a_filter_that_raises_does_not_cost_the_response(ask, breaking, capfd, url):
    """The record is lost, is not written a second time as a failure's, and `logging` tells."""
    assert ask(url).status == 200
    assert breaking.asked == 1
    told = capfd.readouterr().err
    assert told.count("--- Logging error ---") == told.count("IndexError: ") == 1


def test_a_handler_that_raises_does_not_cost_the_response(ask, summaries, capfd):
    """One that guards nothing, for a broker that may be down."""

    class Breaks(logging.Handler):
        def emit(self, record):
            raise OSError("broker down")

    logger, breaks = logging.getLogger(SUMMARY_LOGGER), Breaks()
    logger.addHandler(breaks)
    try:
        assert ask("/plain/").status == 200
    finally:
        logger.removeHandler(breaks)
    assert len(summaries) == 1
    assert "OSError: broker down" in capfd.readouterr().err


def test_a_status_that_is_no_number_is_told(make_request, summaries):
    """Django fails with such a response, too; the record says so, and nothing is in progress."""
    response = HttpResponse()
    response.status_code = "404"
    with pytest.raises(TypeError):
        DockerflowMiddleware(lambda request: response)(make_request())
    assert [(record.code, record.getMessage()[:9]) for record in summaries] == [(500, "TypeError")]
    assert process.requests_in_progress == 0


def test_a_record_factory_makes_the_record(answered):
    """Tracing libraries set one."""
    factory = logging.getLogRecordFactory()

    def tracing(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.traced = True
        return record

    logging.setLogRecordFactory(tracing)
    try:
        assert answered(HttpResponse()).traced
    finally:
        logging.setLogRecordFactory(factory)


def test_what_is_added_to_a_record_is_scrubbed(answered, summaries):
    """By a record factory, or by a handler's filter; our own fields come last."""
    factory = logging.getLogRecordFactory()

    def tracing(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.url = "https://ada:hunter2@tracing/"
        return record

    logging.setLogRecordFactory(tracing)
    try:
        traced = answered(HttpResponse())
    finally:
        logging.setLogRecordFactory(factory)
    summaries.clear()
    with override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=1 - 1e-12):
        sampled = answered(HttpResponse())
    for made in (traced, sampled):
        names = [name for name in vars(made) if name not in LEFT_BY_FORMATTERS]
        assert names[-1] == SUMMARY_LAST
    sampled.url = traced.url
    assert "hunter2" not in MozlogFormatter().format(traced) + MozlogFormatter().format(sampled)


def test_what_is_not_sampled_costs_no_fields(make_request, summaries, monkeypatch):
    """The decision comes first."""
    monkeypatch.setattr(record, "fields_of", pytest.fail)
    with override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0):
        DockerflowMiddleware(lambda request: HttpResponse())(make_request())
    assert summaries == []


def test_a_stream_that_is_not_logged_ends_all_the_same(make_request, summaries):
    """It is in progress until its end."""
    with override_settings(DOCKERFLOW_SUMMARY_SAMPLE_RATE=0):
        middleware = DockerflowMiddleware(lambda request: StreamingHttpResponse([b"one"]))
        response = middleware(make_request())
        assert process.requests_in_progress == 1
        list(response)
    assert (summaries, process.requests_in_progress) == ([], 0)


def test_failing_forgets_the_request(make_request, summaries):
    """There is no response whose closing would end it."""
    request = make_request()
    fail(request, start(request), LookupError("odd"))
    assert (current_rid(), summaries[0].getMessage()) == (None, "LookupError: odd")
    assert not hasattr(summaries[0], "size")


def test_failing_keeps_the_id_that_the_project_has_set(make_request, summaries):
    """Also the records that Django writes of the request later have it."""
    request = make_request()
    state = start(request)
    request_id_context.set("theirs")
    fail(request, state, LookupError())
    assert (summaries[0].rid, request._dockerflow_rid) == ("theirs", "theirs")


def test_a_request_that_was_cancelled_has_the_code_of_a_client_that_has_gone(
    make_request, summaries
):
    """It has no response whose status could be told."""
    request = make_request()
    fail(request, start(request), CancelledError())
    assert (summaries[0].code, summaries[0].errno, summaries[0].getMessage()) == (499, 499, "")


def test_what_outlives_a_request_that_failed_is_not_inside_of_it(make_request, summaries):
    """A task that goes on may start requests of its own, which belong to no other."""
    request = make_request()
    state = start(request)
    task = copy_context()
    fail(request, state, LookupError())
    assert task.run(start_request, None, None).outer is None


def test_the_projects_own_records_may_be_named_alike(make_request, summaries):
    """A record by that name which the project writes itself passes as any."""
    start_request(None, None)
    logging.getLogger(SUMMARY_LOGGER).info("hello")
    assert summaries[0].getMessage() == "hello"
