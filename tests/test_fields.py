"""What a summary says about its request."""

import pytest
from django.test import override_settings

from dockerflow_django.fields import MAX_AGENT
from tests.summaries import WORLDS, answering, ask, asked, recorded, serving
from tests.test_trace import SPAN_ID, TRACE_ID, VALID


@pytest.fixture(params=WORLDS)
def world(request):
    return request.param


@pytest.mark.parametrize(
    ("accepted", "lang"),
    [
        ("de-CH, en;q=0.5", "de-ch"),
        ("en;q=0.5, de;q=0.9", "de"),
        ("*, en;q=0.5", "en"),
        ("de;q=0, en;q=0.5", "en"),
    ],
)
def test_lang_is_the_first_choice(world, accepted, lang):
    """The header is parsed, not copied: D29."""
    assert asked(world, answering(), headers={"Accept-Language": accepted}).lang == lang


@pytest.mark.parametrize("accepted", [None, "", "*", "de;q=0", "\x00;;;", ",", "a" * 20_000])
def test_lang_is_absent_without_a_choice(world, accepted):
    """No header, or garbage, gives no field: null would be no mozlog."""
    headers = {} if accepted is None else {"Accept-Language": accepted}
    assert not hasattr(asked(world, answering(), headers=headers), "lang")


def test_agent_is_cut(world):
    """A client may send any length."""
    agent = "x" * (MAX_AGENT + 1)
    assert asked(world, answering(), headers={"User-Agent": agent}).agent == agent[:MAX_AGENT]


def test_agent_is_absent_without_a_header(world):
    """Nothing is said of what was not sent."""
    assert not hasattr(asked(world, answering()), "agent")


@pytest.mark.parametrize(("route", "path"), [("items/<int:pk>/", "/items/3/"), ("", "/")])
def test_route_is_the_pattern(world, route, path):
    """The pattern is the same for all that it matches, the raw path is not."""
    with serving(answering(), route), recorded() as records:
        assert ask(world, path).status_code == 200
    assert records.summary.route == route


def test_route_is_absent_where_nothing_matched(world):
    """Paths that robots try are no routes."""
    with serving(answering()), recorded() as records:
        assert ask(world, "/wp-login.php").status_code == 404
    assert not hasattr(records.summary, "route")
    assert records.summary.path == "/wp-login.php"


def test_query_string_is_off(world):
    """It is personal, and left out unless it is wanted."""
    assert not hasattr(asked(world, answering(), QUERY_STRING="a=b"), "querystring")


@override_settings(DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True)
def test_query_string_is_redacted(world):
    """Where it is wanted, secrets are still not; none, none."""
    assert asked(world, answering(), QUERY_STRING="a=b&token=x").querystring == (
        "a=b&token=[redacted]"
    )
    assert not hasattr(asked(world, answering()), "querystring")


def test_addresses_are_off(world):
    """They are personal, and left out unless they are wanted."""
    headers = {"X-Forwarded-For": "192.0.2.1"}
    assert not hasattr(asked(world, answering(), headers=headers), "remoteAddressChain")


@pytest.mark.parametrize(
    ("forwarded", "chain"),
    [
        (None, ["127.0.0.1"]),
        ("192.0.2.1", ["192.0.2.1", "127.0.0.1"]),
        (" 192.0.2.1,2001:db8::1 ,,", ["192.0.2.1", "2001:db8::1", "127.0.0.1"]),
    ],
)
@override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True)
def test_addresses_from_client_to_us(world, forwarded, chain):
    """A list, as mozlog has it: who the proxies say they serve, then who is connected."""
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    assert asked(world, answering(), headers=headers).remoteAddressChain == chain


@override_settings(DOCKERFLOW_SUMMARY_LOG_REMOTE_ADDRESSES=True)
def test_addresses_are_absent_on_a_unix_socket():
    """An empty list would be no mozlog."""
    assert not hasattr(asked("sync", answering(), REMOTE_ADDR=""), "remoteAddressChain")


def test_trace_of_a_valid_header(world):
    """The trace joins the line to those of other services."""
    summary = asked(world, answering(), headers={"traceparent": VALID})
    assert (summary.trace_id, summary.span_id) == (TRACE_ID, SPAN_ID)


def test_no_trace_of_an_invalid_header(world):
    """An invalid header is none."""
    summary = asked(world, answering(), headers={"traceparent": "garbage"})
    assert not hasattr(summary, "trace_id")
    assert not hasattr(summary, "span_id")


def test_user_class_that_raises_costs_the_uid_only(world):
    """The project's own class must not cost the line."""

    class User:
        is_authenticated = True

        @property
        def pk(self):
            raise ConnectionError

    def view(request):
        request.user = User()
        return answering()(request)

    summary = asked(world, view)
    assert summary.code == 200
    assert not hasattr(summary, "uid")


def test_method_is_the_clients(world):
    """Also one that HTTP does not know."""
    assert asked(world, answering(), method="BREW").method == "BREW"
