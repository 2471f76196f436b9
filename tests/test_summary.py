"""One record per request, and its id on every record of that request and on no other."""

import asyncio
import json
import logging
import subprocess
import sys
import threading
import time
from types import ModuleType

import pytest
from asgiref.sync import sync_to_async
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.http import Http404, HttpResponse, HttpResponseNotFound, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse
from django.test import AsyncClient, RequestFactory, override_settings

from dockerflow_django import summary as summary_module
from dockerflow_django.context import current_rid, current_state, enter
from dockerflow_django.fields import Fields
from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.middleware import DockerflowMiddleware
from dockerflow_django.summary import SUMMARY_LOGGER
from tests.summaries import PATH, WORLDS, answering, ask, asked, recorded, serving

STANDARD = {*vars(logging.makeLogRecord({})), "message"}
ALWAYS = {"code", "db_queries", "errno", "method", "path", "rid", "route", "size", "t", "t_db"}
RID = "given-by-the-client"
HEADERS = {"X-Request-ID": RID}
logger = logging.getLogger("tests.summary")


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


def fields_of(record):
    return {key: value for key, value in vars(record).items() if key not in STANDARD}


def test_fields_of_a_plain_request(world):
    """These fields and no others; the types are those of the reference."""
    fields = fields_of(asked(world, answering("höhe"), headers=HEADERS))
    assert set(fields) == ALWAYS
    assert fields["t"] >= 0
    assert fields.pop("t_db") == 0
    del fields["t"]
    assert fields == {
        "code": 200,
        "db_queries": 0,
        "errno": 0,
        "method": "GET",
        "path": PATH,
        "rid": RID,
        "route": PATH[1:],
        "size": 5,
    }


def test_all_names_are_declared(world):
    """Every field is among those that the reference describes."""
    assert set(fields_of(asked(world, answering()))) <= set(Fields.__annotations__)


def test_line_is_mozlog(world):
    """The record makes a valid line, whose type is the logger's name."""
    line = json.loads(MozlogFormatter().format(asked(world, answering())))
    assert line["Type"] == SUMMARY_LOGGER
    assert "msg" not in line["Fields"]


def raising(error):
    def view(request):
        raise error

    return view


@pytest.mark.parametrize(
    ("view", "code", "level"),
    [
        (answering(), 200, logging.INFO),
        (lambda request: HttpResponseRedirect("/"), 302, logging.INFO),
        (raising(Http404("no such thing")), 404, logging.INFO),
        (raising(PermissionDenied()), 403, logging.INFO),
        (raising(BadRequest()), 400, logging.INFO),
        (raising(RequestDataTooBig()), 400, logging.INFO),
        (answering(status=413), 413, logging.INFO),
        (answering(status=503), 503, logging.ERROR),
        (raising(RuntimeError()), 500, logging.ERROR),
    ],
)
def test_record_tells_what_the_client_got(world, view, code, level):
    """Status, error number and level are the response's, however it came about: D7, D8."""
    with serving(view), recorded() as records:
        status = ask(world).status_code
    summary = records.summary
    assert (status, summary.code, summary.levelno) == (code, code, level)
    assert summary.errno == (code if code >= 400 else 0)


def test_refused_host(world):
    """A request that Django refuses has its line."""
    with serving(lambda request: HttpResponse(request.get_host())), recorded() as records:
        ask(world, headers={"Host": "evil.example"})
    assert (records.summary.code, records.summary.errno) == (400, 400)


def test_404_raised_and_returned_look_the_same(world):
    """D8: a missing thing is no error of ours, whichever way the view says it."""
    returned = fields_of(asked(world, lambda request: HttpResponseNotFound()))
    raised = fields_of(asked(world, raising(Http404("secret text"))))
    for fields in (returned, raised):
        for name in ("rid", "size", "t"):
            del fields[name]
    assert returned == raised


def test_time_is_not_the_clocks(world, monkeypatch):
    """A clock that is set back makes no request end before its begin: D36."""

    def view(request):
        time.sleep(0.02)
        return HttpResponse("plain")

    moments = iter(range(10**9, 0, -3600))
    monkeypatch.setattr(time, "time", lambda: next(moments))
    assert 20 <= asked(world, view).t < 5000


def test_head_has_no_body(world):
    """Django leaves it to the server to send none."""
    assert asked(world, answering(), method="HEAD").size == 0


def test_post_has_a_record(world):
    """A body that is read, or is not, changes nothing."""
    more = {"method": "POST", "data": b"x" * 1000, "content_type": "text/plain"}
    assert asked(world, lambda request: HttpResponse(request.body), **more).size == 1000
    assert asked(world, answering(), **more).method == "POST"


def test_size_that_cannot_be_known_is_absent():
    """A response that nobody has rendered has no bytes yet."""
    with recorded() as records:
        response = SimpleTemplateResponse("nowhere.html")
        DockerflowMiddleware(lambda request: response)(RequestFactory().get("/"))
    assert not hasattr(records.summary, "size")


# The request id.


def test_every_record_of_the_request_has_the_id(world):
    """What the view logs, in a thread of its own too, and what Django logs when it has ended."""

    def view(request):
        logger.info("in the view")
        raise Http404

    async def view_async(request):
        logger.info("in the view")
        await sync_to_async(logger.info)("in a thread")
        raise Http404

    with serving(view if world == "sync" else view_async), recorded() as records:
        ask(world, headers=HEADERS)
    assert records.of("django.request")
    assert {record.rid for record in records.records} == {RID}


def test_ids_attributes_on_the_request(world):
    """Log filters fall back on one, and python-dockerflow's users read the other."""
    seen = []

    def view(request):
        seen.append((request._dockerflow_rid, request._id, current_rid()))
        return HttpResponse("plain")

    asked(world, view, headers=HEADERS)
    assert seen == [(RID, RID, RID)]


@pytest.mark.parametrize("view", [answering(), raising(RuntimeError()), raising(Http404())])
def test_no_id_is_left_behind(world, view):
    """After a request, or its exception, nothing in this thread has its id: D10."""
    with serving(view):
        ask(world, headers=HEADERS)
    assert current_rid() is None
    assert current_state() is None


async def test_no_id_is_left_in_the_loop():
    """Two requests in one task: the second has an id of its own, and afterwards there is none."""
    with serving(answering()), recorded() as records:
        await AsyncClient().get(PATH, headers=HEADERS)
        assert current_rid() is None
        await AsyncClient().get(PATH)
    first, second = (record.rid for record in records.summaries)
    assert first == RID != second


def test_id_lives_until_django_has_finished():
    """A receiver of `request_finished` that came before ours still has it."""
    seen = []

    def listen(**kwargs):
        seen.append(current_rid())

    receivers, request_finished.receivers = request_finished.receivers, []
    request_finished.connect(listen)
    request_finished.receivers += receivers
    try:
        with serving(answering()):
            ask("sync", headers=HEADERS)
    finally:
        request_finished.receivers = receivers
        request_finished.sender_receivers_cache.clear()
    assert seen == [RID]


@pytest.mark.django_db
def test_request_that_never_finished_leaves_no_id_to_the_next():
    """A server that did not close a response costs the next request nothing."""
    enter("of a request before", None)
    request_started.send(None)
    assert current_rid() is None


def test_ids_of_requests_in_other_threads_are_apart():
    """Eight requests at the same time, each with its own id on each record."""
    together = threading.Barrier(8, timeout=10)

    def view(request):
        together.wait()
        logger.info("%s", request.GET["rid"])
        return HttpResponse("plain")

    def ask_one(number):
        environ = (
            RequestFactory()
            .get(PATH, {"rid": f"rid-{number}"}, headers={"X-Request-ID": f"rid-{number}"})
            .environ
        )
        WSGIHandler()(environ, lambda status, headers: None).close()

    with serving(view), recorded() as records:
        threads = [threading.Thread(target=ask_one, args=(n,), daemon=True) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    spoken = records.of(logger.name)
    assert len(spoken) == len(records.summaries) == 8
    assert all(record.rid == record.getMessage() for record in spoken)


async def test_ids_of_requests_in_one_loop_are_apart():
    """Eight requests at the same time, each with its own id on each record."""
    together = asyncio.Barrier(8)

    async def view(request):
        await together.wait()
        logger.info("%s", request.GET["rid"])
        return HttpResponse("plain")

    with serving(view), recorded() as records:
        await asyncio.gather(
            *(
                AsyncClient().get(PATH, {"rid": rid}, headers={"X-Request-ID": rid})
                for rid in (f"rid-{number}" for number in range(8))
            )
        )
    spoken = records.of(logger.name)
    assert len(spoken) == len(records.summaries) == 8
    assert all(record.rid == record.getMessage() for record in spoken)


@pytest.mark.parametrize("sent", ["x" * 20_000, "höhe", "a\0b", "one,two"])
def test_hostile_id_is_on_no_record(world, sent):
    """An id that is not valid is neither returned nor logged: D11."""
    with serving(answering()), recorded() as records:
        response = ask(world, headers={"X-Request-ID": sent})
    assert response["X-Request-ID"] == records.summary.rid != sent


# What is logged, and where.


def test_disabled_logger(world, monkeypatch):
    """A project that wants no summaries disables the logger; the id stays."""
    monkeypatch.setattr(logging.getLogger(SUMMARY_LOGGER), "disabled", True)
    with serving(answering()), recorded() as records:
        assert ask(world, headers=HEADERS)["X-Request-ID"] == RID
    assert not records.summaries


@pytest.mark.parametrize(("status", "lines"), [(200, 0), (404, 0), (500, 1)])
def test_level_of_the_logger(world, status, lines):
    """Where only errors are wanted only they are written."""
    with serving(answering(status=status)), recorded(logging.ERROR) as records:
        ask(world)
    assert len(records.summaries) == lines


def test_filters_of_the_logger_are_asked(world):
    """A record goes the way of every record."""
    named = logging.getLogger(SUMMARY_LOGGER)

    def refuse(record):
        return record.path != PATH

    named.addFilter(refuse)
    try:
        with serving(answering()), recorded() as records:
            ask(world)
            ask(world, "/elsewhere/")
    finally:
        named.removeFilter(refuse)
    assert records.summary.path == "/elsewhere/"


def test_filter_that_raises_is_asked_once(world):
    """A record that was lost on its way is not written a second time."""
    named, asked_for = logging.getLogger(SUMMARY_LOGGER), []

    def broken(record):
        asked_for.append(record)
        raise LookupError

    named.addFilter(broken)
    try:
        with serving(answering()), recorded():
            assert ask(world).status_code == 500
    finally:
        named.removeFilter(broken)
    assert len(asked_for) == 1


def test_record_factory_makes_the_record(world):
    """Tracing libraries set one."""
    factory = logging.getLogRecordFactory()

    def tracing(*args, **kwargs):
        record = factory(*args, **kwargs)
        record.marked = True
        return record

    logging.setLogRecordFactory(tracing)
    try:
        assert asked(world, answering()).marked
    finally:
        logging.setLogRecordFactory(factory)


def test_caplog_has_the_record(world, caplog):
    """A project's own tests find it where they look."""
    with serving(answering()), caplog.at_level(logging.INFO):
        ask(world)
    assert [record.code for record in caplog.records if record.name == SUMMARY_LOGGER] == [200]


SECRETS = {
    "QUERY_STRING": "token=planted&password=planted&next=https://a:planted@host/",
    "headers": {
        "Authorization": "Bearer planted",
        "Cookie": "sessionid=planted",
        "X-Api-Key": "planted",
    },
}


@override_settings(
    DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True, DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True
)
@pytest.mark.parametrize(
    "view",
    [
        lambda request, **parameters: HttpResponse("plain"),
        lambda request, **parameters: raising(RuntimeError("password=planted"))(request),
        lambda request, **parameters: raising(Http404("token=planted"))(request),
    ],
)
@pytest.mark.parametrize("path", ["/reset/planted/planted/", "/reset/planted/planted"])
def test_planted_secrets_are_in_no_summary(world, view, path):
    """Query string, reset link, headers, cookies and exceptions: none shows its secrets."""
    common = ["django.middleware.common.CommonMiddleware"]
    with serving(view, "reset/<uidb64>/<token>/", middleware=common), recorded() as records:
        ask(world, path, **SECRETS)
    assert "planted" not in MozlogFormatter().format(records.summary)


# Sentry.


@pytest.fixture
def ignored(monkeypatch):
    """Give the names that a stand-in for sentry_sdk was told to ignore."""
    names = []
    for name in ("sentry_sdk", "sentry_sdk.integrations", "sentry_sdk.integrations.logging"):
        monkeypatch.setitem(sys.modules, name, ModuleType(name))
    sys.modules["sentry_sdk.integrations.logging"].ignore_logger = names.append
    return names


def test_sentry_ignores_the_summary(ignored):
    """A failure's summary is no second event beside the exception's."""
    DockerflowMiddleware(answering())
    assert ignored == [SUMMARY_LOGGER]


def test_broken_sentry_is_no_matter(monkeypatch):
    """Whatever its import raises, the middleware loads."""
    monkeypatch.setitem(sys.modules, "sentry_sdk", None)
    summary_module.tell_sentry()


def test_sentry_is_not_loaded_with_the_module():
    """Only the middleware asks for it, when Django loads it."""
    code = (
        "import sys, django; from django.conf import settings; settings.configure();"
        "import dockerflow_django.summary;"
        "sys.exit(any(name.startswith('sentry_sdk') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
