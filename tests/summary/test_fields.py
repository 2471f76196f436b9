"""What a record says of its request: each field, its type, and when it is absent."""

import time
import tracemalloc
from ipaddress import ip_address

import pytest
from django.test import override_settings
from django.urls import resolve
from django.utils.translation.trans_real import parse_accept_lang_header

from dockerflow_django.context import Trace
from dockerflow_django.context.requests import RequestState
from dockerflow_django.logging.content import SUMMARY_NAMES
from dockerflow_django.summary.fields import MAX_AGENT, Fields, fields_of

ALWAYS = {"db_queries", "method", "path", "rid", "t", "t_db"}


@pytest.fixture
def of(make_request):
    """Return the fields of a request with these headers."""

    def fields(path="/nowhere/", method="GET", state=None, **headers):
        return fields_of(make_request(path, method, **headers), state or RequestState("abc"))

    return fields


def test_a_bare_request_has_what_all_have(of):
    """What is not known is absent, not null (D29)."""
    fields = of()
    assert set(fields) == ALWAYS
    assert set(fields) <= set(Fields.__annotations__)
    assert (fields["method"], fields["path"], fields["rid"]) == ("GET", "/nowhere/", "abc")
    assert (fields["db_queries"], fields["t_db"]) == (0, 0)


def test_formatters_know_the_names():
    """What is not scrubbed when it is formatted is a field of ours."""
    assert set(Fields.__annotations__) > SUMMARY_NAMES


def test_a_request_without_a_method_has_an_empty_one(make_request):
    """An `HttpRequest` of the project's own making has None."""
    request = make_request()
    request.method = None
    assert fields_of(request, RequestState("abc"))["method"] == ""


@pytest.mark.parametrize(("seconds", "t"), [(0, 0), (0.0004, 0), (0.0016, 2), (1.2343, 1234)])
def test_times_are_whole_milliseconds(of, monkeypatch, seconds, t):
    """Rounded, not cut."""
    state = RequestState("abc")
    state.query_seconds = [seconds / 4, 3 * seconds / 4]
    monkeypatch.setattr(time, "perf_counter", lambda: state.started + seconds)
    fields = of(state=state)
    assert (fields["t"], fields["t_db"], fields["db_queries"]) == (t, t, 2)
    assert type(fields["t"]) is int


@pytest.mark.parametrize("wall", [0.0, 1e12])
def test_the_wall_clock_does_not_matter(of, monkeypatch, wall):
    """A clock that is set while a request runs makes it neither negative nor long (D36)."""
    state = RequestState("abc")
    monkeypatch.setattr(time, "time", lambda: wall)
    assert 0 <= of(state=state)["t"] < 60_000


def test_the_agent_is_cut(of):
    """A client cannot make records long."""
    assert of(User_Agent="curl/8")["agent"] == "curl/8"
    assert of(User_Agent="a" * 20_000)["agent"] == "a" * MAX_AGENT


def test_long_headers_are_not_kept(of):
    """A client cannot fill the memory with what is remembered of each."""
    tracemalloc.start()
    try:
        for number in range(30):
            of(User_Agent=f"{number}" * 60_000, Accept_Language=f"de;q=0.{number}," * 10_000)
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 1_000_000


@pytest.mark.parametrize("length", [499, 500, 501, 511, 512, 513, 20_000])
def test_a_long_list_of_languages_is_read_as_django_reads_it(of, length):
    """Cut to what it parses, it names the same language."""
    for accepted in (("*;q=0.1," * 3_000)[: length - 3] + ",de", "de," + "a" * (length - 3)):
        choices = parse_accept_lang_header(accepted)
        found = next((lang for lang, weight in choices if weight and lang != "*"), None)
        assert of(Accept_Language=accepted).get("lang") == found


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("de", "de"),
        ("de-CH", "de-ch"),
        ("en-GB,en;q=0.8,de;q=0.5", "en-gb"),
        ("en;q=0.5,fr;q=0.9", "fr"),
        ("*,de;q=0.5", "de"),
        ("de;q=0,en;q=0.1", "en"),
        ("zh-Hant-TW", "zh-hant-tw"),
    ],
)
def test_the_language_is_the_first_choice(of, accepted, lang):
    """Parsed, not the header as it came (D29)."""
    assert of(Accept_Language=accepted)["lang"] == lang


@pytest.mark.parametrize(
    "accepted",
    ["", "*", "de;q=0", "nonsense!", ";;;", ",", "q=1", "de;q=oops", "a" * 20_000, "\0", "grün"],
)
def test_no_language_is_none(of, accepted):
    """Whatever the client sent instead."""
    assert "lang" not in of(Accept_Language=accepted)


def test_the_route_is_the_pattern(make_request):
    """Never the path: one value for a view, however many items there are."""
    request = make_request("/items/7/")
    request.resolver_match = resolve("/items/7/")
    fields = fields_of(request, RequestState("abc"))
    assert (fields["route"], fields["path"]) == ("items/<int:pk>/", "/items/7/")


def test_the_route_of_what_matched_nothing_is_absent(ask, summaries):
    """A scanner's paths are no routes."""
    ask("/nowhere/")
    ask("/items/7/")
    unknown, known = summaries
    assert not hasattr(unknown, "route")
    assert known.route.endswith("items/<int:pk>/")


def test_the_trace_is_split(of):
    """Into the two names that tracing tools join by."""
    fields = of(state=RequestState("abc", Trace("1" * 32, "2" * 16)))
    assert (fields["trace_id"], fields["span_id"]) == ("1" * 32, "2" * 16)


def test_a_user_that_is_known_is_text(make_request):
    """The mozlog schema wants a string (D29)."""

    class User:
        pk, is_authenticated = 7, True

    request = make_request()
    request.user = User()
    assert fields_of(request, RequestState("abc"))["uid"] == "7"


def test_a_user_class_that_raises_costs_its_field(make_request):
    """The record is written without it."""

    class User:
        @property
        def pk(self):
            raise LookupError("no key")

    request = make_request()
    request.user = User()
    assert set(fields_of(request, RequestState("abc"))) == ALWAYS


def test_the_query_string_is_personal(of):
    """It is there where the project wants it, and there is one."""
    assert "querystring" not in of("/?a=1")
    with override_settings(DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True):
        assert of("/?a=1&token=hunter2")["querystring"] == "a=1&token=%5Bredacted%5D".replace(
            "%5B", "["
        ).replace("%5D", "]")
        assert "querystring" not in of("/")


def test_addresses_are_personal(of):
    """They are there where the project wants them: the client, the proxies, the peer."""
    forwarded = {"X_Forwarded_For": "203.0.113.7, 10.0.0.1 ,,"}
    assert "remoteAddressChain" not in of(**forwarded)
    with override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True):
        assert of(**forwarded)["remoteAddressChain"] == ["203.0.113.7", "10.0.0.1", "127.0.0.1"]
        assert of()["remoteAddressChain"] == ["127.0.0.1"]


@override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True)
def test_without_an_address_there_is_no_chain(make_request):
    """A server on a Unix socket knows none."""
    request = make_request()
    request.META["REMOTE_ADDR"] = ""
    assert "remoteAddressChain" not in fields_of(request, RequestState("abc"))
    del request.META["REMOTE_ADDR"]
    assert "remoteAddressChain" not in fields_of(request, RequestState("abc"))


@pytest.mark.parametrize(
    ("forwarded", "address", "chain"),
    [
        ("203.0.113.7, 10.0.0.1", None, ["203.0.113.7", "10.0.0.1"]),
        (None, "127.0.0.1", ["127.0.0.1"]),
        (ip_address("203.0.113.7"), ip_address("::1"), ["203.0.113.7", "::1"]),
    ],
)
@override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True)
def test_addresses_may_be_the_projects_own(make_request, forwarded, address, chain):
    """It finds out who the client is, and leaves what it finds in place of the server's text."""
    request = make_request()
    request.META.update(HTTP_X_FORWARDED_FOR=forwarded, REMOTE_ADDR=address)
    assert fields_of(request, RequestState("abc"))["remoteAddressChain"] == chain


def test_the_middleware_adds_its_own(ask, summaries):
    """The status, its number and the size are in each record, with the types of the contract."""
    ask("/plain/", User_Agent="curl/8", Accept_Language="de-CH,en;q=0.5")
    (record,) = summaries
    assert (record.code, record.errno, record.size, record.lang) == (200, 0, 5, "de-ch")
    assert (record.agent, record.method, record.db_queries) == ("curl/8", "GET", 0)
    assert {type(record.__dict__[name]) for name in ("code", "errno", "size", "t", "t_db")} == {int}
