"""The record of a request whose fields cannot be made, whatever a project has put there."""

import logging
from types import SimpleNamespace

import pytest
from django.http import HttpResponse
from django.test import override_settings

from dockerflow_django.context.requests import RequestState
from dockerflow_django.summary import fields

ODD = [
    ("HTTP_USER_AGENT", 7),
    ("HTTP_ACCEPT_LANGUAGE", 7),
    ("HTTP_TRACEPARENT", 7),
    ("HTTP_X_REQUEST_ID", 7),
    ("HTTP_X_FORWARDED_FOR", None),
    ("REMOTE_ADDR", None),
]


@pytest.mark.parametrize(("name", "value"), ODD)
@override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True)
def test_what_a_project_puts_into_a_request_costs_no_response(
    middleware, make_request, summaries, name, value
):
    """Before this middleware or after it: there is the answer, and a record that names it."""

    def view(request):
        request.META[name] = value
        return HttpResponse("four")

    request = make_request()
    for _ in range(2):
        response = middleware(view)(request)
        record = summaries.pop()
        assert (response.status_code, record.code, record.errno) == (200, 200, 0)
        assert (record.method, record.path) == ("GET", "/plain/")
        assert response.headers["X-Request-ID"] == record.rid
    assert summaries == []


def test_match_that_is_none_of_djangos(middleware, make_request, summaries):
    """Whether the request is one for health cannot be told, so its record is written."""

    def view(request):
        request.resolver_match = SimpleNamespace(route="plain/", kwargs={})
        return HttpResponse("four")

    assert middleware(view)(make_request()).status_code == 200
    assert [record.code for record in summaries] == [200]


def test_what_costs_the_fields_is_logged_once_a_kind(middleware, make_request, summaries, lines):
    """With a traceback: it may happen at every request."""
    fields._reported.clear()

    def without_path(request):
        request.path = request.method = None
        return HttpResponse(status=500)

    def with_odd_agent(request):
        request.META["HTTP_USER_AGENT"] = 7
        return HttpResponse(status=500)

    for view in (without_path, with_odd_agent) * 2:
        assert middleware(view)(make_request()).status_code == 500
    logged = [line for line in lines if line.name == "dockerflow_django"]
    assert [line.exc_info[0] for line in logged] == [AttributeError, TypeError]
    assert {line.levelno for line in logged} == {logging.ERROR}
    assert all("lack most of their fields" in line.getMessage() for line in logged)
    assert [record.levelno for record in summaries] == [logging.ERROR] * 4
    names = {"code", "errno", "method", "rid", "size"}
    assert names == set(vars(summaries[0])) & {*names, "path", "t", "db_queries"}
    assert [record.method for record in summaries] == ["", "GET"] * 2
    assert summaries[1].path == "/plain/"


def test_least_record_has_its_id(make_request):
    """Also where no filter of the log adds it."""
    least = fields.least_fields_of(make_request(), RequestState("abc", None), ValueError())
    assert least == {"method": "GET", "path": "/plain/", "rid": "abc"}
