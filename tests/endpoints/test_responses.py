"""What a client accepts, and the response that an answer becomes."""

import time

import pytest
from django.test import RequestFactory

from dockerflow_django.endpoints.answers import Answer
from dockerflow_django.endpoints.responses import accepts_html, make_response

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def test_an_answer_becomes_a_response() -> None:
    """Status, body, length and headers are the answer's."""
    response = make_response(Answer(405, {"error": "no"}, allow="GET"), "POST")
    assert (response.status_code, response.content) == (405, b'{"error": "no"}')
    assert response.headers["Content-Length"] == "15"
    assert response.headers["Content-Type"] == "application/json"
    assert response.headers["Allow"] == "GET"


def test_head_has_the_headers_and_no_body() -> None:
    """The length is that of the body which GET would have (RFC 9110, section 9.3.2)."""
    response = make_response(Answer(200, {"status": "ok"}), "HEAD")
    assert response.content == b""
    assert response.headers["Content-Length"] == "16"
    assert "Allow" not in response.headers


@pytest.mark.parametrize(
    "accept",
    [
        FIREFOX,
        "text/html",
        "TEXT/HTML",
        " text/html ; charset=utf-8",
        "text/html;q=0.1",
        "text/html;q=0.001",
        "text/html;q=1",
        "application/json, text/html",
        "text/html;q=0, text/html",
        "text/html;q=garbage",
    ],
)
def test_who_names_html_accepts_it(accept: str) -> None:
    """A browser names it; its weight does not matter as long as there is one."""
    assert accepts_html(RequestFactory().get("/", headers={"accept": accept})) is True


@pytest.mark.parametrize(
    "accept",
    [
        "",
        "*/*",  # a kubelet, curl
        "text/*",
        "application/json",
        "text/html;q=0",
        "text/html; q=0.000",
        "text/html;q=.0",
        "text/html;q=",
        "text/htmlx, xtext/html",
        "application/text/html",
        "text/html+xml",
        ";text/html",
        "garbage",
        ",;=,;=",
        "\xff",
    ],
)
def test_who_does_not_name_html_does_not_accept_it(accept: str) -> None:
    """Whatever else the header holds, it is no error and asks for no page."""
    assert accepts_html(RequestFactory().get("/", headers={"accept": accept})) is False


def test_without_the_header_no_page_is_asked_for() -> None:
    """A load balancer sends none."""
    assert accepts_html(RequestFactory().get("/")) is False


@pytest.mark.parametrize("accept", ["text/html;q=0," * 1500, "text/html" * 2500, "," * 20_000])
def test_a_long_header_costs_no_time(accept: str) -> None:
    """Twenty kilobytes are read in milliseconds."""
    request = RequestFactory().get("/", headers={"accept": accept})
    before = time.thread_time()
    assert accepts_html(request) is False
    assert time.thread_time() - before < 0.25
