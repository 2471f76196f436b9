"""Secrets in URLs, by the names of their parameters."""

import pytest
from django.http import HttpResponse
from django.test import RequestFactory, override_settings
from django.urls import include, path, re_path, register_converter, resolve
from django.urls.converters import StringConverter

from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.redaction import path_of, query_of

RESET_TOKEN = "d3x8tk-0123456789abcdef0123456789abcdef"


class AskingConverter(StringConverter):
    """A converter that asks a database, which is down."""

    def to_python(self, value):
        raise ConnectionError  # pragma: no cover - never asked, which is the point


register_converter(AskingConverter, "asking")


# Nothing is called here.
view = HttpResponse


class Urls:
    urlpatterns = (
        path("items/<int:pk>/<slug:slug>/", view),
        path("reset/<uidb64>/<token>/", view),
        path("unsubscribe/<token>", view),
        path("numbers/<int:key>/", view),
        path("default/", view, {"token": "not in the path"}),
        path("asked/<asking:token>/", view),
        re_path(r"^either/(?:(?P<token>\d+)|(?P<name>\w+))/$", view),
        path("below/<secret>/", include([path("here/<int:pk>/", view)])),
    )


@pytest.fixture(autouse=True)
def _urls():
    with override_settings(ROOT_URLCONF=Urls):
        yield


def request_for(path, *, resolved=True, **more):
    request = RequestFactory().get(path, **more)
    if resolved:
        request.resolver_match = resolve(request.path_info)
    return request


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/items/3/spade/", "/items/3/spade/"),
        (f"/reset/MQ/{RESET_TOKEN}/", f"/reset/{REDACTED}/{REDACTED}/"),
        ("/reset/MQ/set-password/", f"/reset/{REDACTED}/{REDACTED}/"),
        ("/unsubscribe/planted", f"/unsubscribe/{REDACTED}"),
        ("/numbers/007/", f"/numbers/{REDACTED}/"),
        ("/either/name/", "/either/name/"),
        ("/either/12/", f"/either/{REDACTED}/"),
        ("/below/planted/here/3/", f"/below/{REDACTED}/here/3/"),
        ("/default/", "/default/"),
        ("/unsubscribe/planted%3Fmore", f"/unsubscribe/{REDACTED}"),
    ],
)
def test_secret_parameters_of_a_resolved_path(path, shown):
    """What a pattern names like a secret is replaced, the rest of the path stays."""
    assert path_of(request_for(path)) == shown


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/items/3/spade/", "/items/3/spade/"),
        (f"/reset/MQ/{RESET_TOKEN}/", f"/reset/{REDACTED}/{REDACTED}/"),
        ("/reset/MQ/planted", f"/reset/{REDACTED}/{REDACTED}"),
        ("/unsubscribe/planted", f"/unsubscribe/{REDACTED}"),
        ("/asked/planted/", f"/asked/{REDACTED}/"),
        (f"/resett/MQ/{RESET_TOKEN}/", f"/resett/MQ/{REDACTED}/"),
        ("/nothing", "/nothing"),
        ("/what%3F", "/what%3F"),
    ],
)
def test_secret_parameters_of_a_path_that_was_not_resolved(path, shown):
    """A redirect to https or to the trailing slash answers before the path is resolved."""
    assert path_of(request_for(path, resolved=False)) == shown


def test_route_stands_for_a_path_that_cannot_be_told_apart():
    """Where the patterns have changed since, the raw path would be a leak."""
    reset, number = request_for("/unsubscribe/planted"), request_for("/numbers/007/")
    with override_settings(ROOT_URLCONF="tests.urls"):
        assert path_of(reset) == "/unsubscribe/<token>"
        assert path_of(number) == "/numbers/<int:key>/"


@pytest.mark.parametrize("path", ["/proxy/https://user:planted@host/", "/login;password=planted"])
def test_secrets_that_no_pattern_names(path):
    """User-info and assignments are scrubbed like any text."""
    assert "planted" not in path_of(request_for(path, resolved=False))


def test_prefix_of_the_script_stays():
    """The path is the one that the client asked for."""
    request = RequestFactory().get("/shop/nothing/")
    request.path, request.path_info = "/shop/nothing/", "/nothing/"
    assert path_of(request) == "/shop/nothing/"


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("page=2&q=a+b", "page=2&q=a+b"),
        ("token=planted&page=2", f"token={REDACTED}&page=2"),
        ("api_key=planted&api-key=planted", f"api_key={REDACTED}&api-key={REDACTED}"),
        (
            "Password=planted&x-amz-signature=planted",
            f"Password={REDACTED}&x-amz-signature={REDACTED}",
        ),
        ("code=planted&state=3", f"code={REDACTED}&state=3"),
        ("keyword=spade&keys", "keyword=spade&keys="),
        ("next=https://a:planted@host/", f"next=https://{REDACTED}%40host/"),
        ("next=%2Fx%3Ftoken%3Dplanted", f"next=/x%3Ftoken%3D{REDACTED}"),
        ("a=%ff&a=%0A", "a=%EF%BF%BD&a=%0A"),
        ("&&=&", "="),
    ],
)
def test_query_string(query, shown):
    """Keys stay, secret-looking values go, and what is nested in a value is scrubbed."""
    assert query_of(RequestFactory().get("/", QUERY_STRING=query)) == shown
