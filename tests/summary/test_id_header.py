"""The header with the request's id is what Django makes of it, and no other header changes."""

from collections import UserDict

import pytest
from django.http import FileResponse, HttpResponse, StreamingHttpResponse
from django.http.response import ResponseHeaders
from django.test import override_settings

from dockerflow_django.summary import id_header
from dockerflow_django.summary.id_header import give_id

HEADER = "X-Request-ID"
IDS = ("0" * 32, "a/b=c", 'a "b" \\', "", "\x7f", "é", "日本", "\u2028")


class Headers(UserDict):
    """What a project's own response may keep its headers in."""

    def __contains__(self, name):
        return name.lower() in map(str.lower, self.data)


@pytest.fixture(params=[True, False], ids=["pairs", "another layout"])
def layout(request, monkeypatch):
    """Have Django keep its headers as it does, and as if that was not known."""
    assert id_header._ARE_PAIRS
    monkeypatch.setattr(id_header, "_ARE_PAIRS", request.param)


@pytest.mark.parametrize("rid", IDS)
@pytest.mark.parametrize("name", [HEADER, "request-id", "X_1.~"])
def test_it_is_what_django_makes_of_it(layout, rid, name):
    """Encoded if it has to be, under the name as it is written, found under any."""
    response, expected = HttpResponse(), HttpResponse()
    with override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME=name):
        give_id(response, rid)
    expected.headers[name] = rid
    assert vars(response.headers) == vars(expected.headers)
    assert [*response.items()] == [*expected.items()]
    assert response.serialize_headers() == expected.serialize_headers()
    assert response.headers[name.upper()] == expected.headers[name]


def test_an_ordinary_id_is_not_encoded(monkeypatch):
    """Every response is given one, and Django's encoding takes most of the time."""
    response = HttpResponse()
    monkeypatch.delattr(ResponseHeaders, "_convert_to_charset")
    give_id(response, "abc")
    assert response.headers[HEADER] == "abc"


@pytest.mark.parametrize("rid", ["abc", "é"])
@pytest.mark.parametrize("name", [HEADER, "request-id"])
def test_a_response_that_is_kept_gets_the_id_of_each_request(layout, rid, name):
    """A view that caches one does not tell a client the id of another's request."""
    response, expected = HttpResponse(), HttpResponse()
    expected.headers[name] = rid
    with override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME=name):
        for each in ("earlier", "früher", "ü", rid):
            give_id(response, each)
    assert [*response.items()] == [*expected.items()]


@pytest.mark.parametrize("rid", ["abc", "é"])
def test_a_projects_own_header_is_kept_on_a_response_that_is_kept(layout, rid):
    """Whether it was there before or came meanwhile."""
    response = HttpResponse(headers={HEADER: "theirs"})
    give_id(response, "earlier")
    give_id(response, rid)
    assert response.headers[HEADER] == "theirs"
    response = HttpResponse()
    give_id(response, "earlier")
    response.headers[HEADER] = "theirs"
    give_id(response, rid)
    assert response.headers[HEADER] == "theirs"


@pytest.mark.parametrize("rid", ["a\nb", "a\rb", "日\n"])
def test_an_id_that_is_no_headers_value_is_not_sent(layout, rid):
    response = HttpResponse()
    give_id(response, rid)
    assert HEADER not in response.headers


@pytest.mark.parametrize("rid", ["abc", "é"])
@pytest.mark.parametrize("name", [HEADER, "x-request-id"])
def test_a_header_that_the_response_has_is_kept(layout, rid, name):
    """A view that proxies another service hands its id on."""
    response = HttpResponse(headers={name: "other"})
    before = dict(response.headers)
    give_id(response, rid)
    assert dict(response.headers) == before
    assert response.headers[HEADER] == "other"


@pytest.mark.parametrize("name", [None, ""])
def test_without_a_name_there_is_none(layout, name):
    response = HttpResponse()
    with override_settings(DOCKERFLOW_REQUEST_ID_HEADER_NAME=name):
        give_id(response, "abc")
    assert dict(response.headers).keys() == {"Content-Type"}


def test_headers_of_another_kind_are_asked_as_well(layout):
    response, new = HttpResponse(), HttpResponse()
    response.headers = Headers({"X-request-id": "other"})
    new.headers = Headers()
    give_id(response, "abc")
    give_id(new, "abc")
    assert dict(response.headers) == {"X-request-id": "other"}
    assert dict(new.headers) == {HEADER: "abc"}


def test_a_subclass_of_djangos_headers_decides_itself(layout):
    class Shouting(ResponseHeaders):
        def __setitem__(self, name, value):
            super().__setitem__(name, value.upper())

    response = HttpResponse()
    response.headers = Shouting({})
    give_id(response, "abc")
    assert response.headers[HEADER] == "ABC"


@pytest.mark.parametrize("kind", [HttpResponse, StreamingHttpResponse, FileResponse])
def test_other_headers_are_left_alone(layout, kind):
    """What CORS exposes is another middleware's business (django-guid overwrites it)."""
    response = kind(headers={"Access-Control-Expose-Headers": "X-Page"})
    before = dict(response.headers)
    give_id(response, "abc")
    assert dict(response.headers) == {**before, HEADER: "abc"}
