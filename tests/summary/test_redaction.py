"""The secrets that a URL holds are in no record."""

import tracemalloc
from urllib.parse import unquote

import pytest
from asgiref.sync import iscoroutinefunction
from django.http import HttpResponse
from django.test import override_settings
from django.urls import ResolverMatch, include, path, re_path, register_converter, resolve
from django.urls.converters import StringConverter
from django.utils.decorators import sync_and_async_middleware

from dockerflow_django.logging import MozlogFormatter
from dockerflow_django.logging.scrubbing import REDACTED
from dockerflow_django.summary.redaction import path_of, query_of

TOKEN = "cx3k2l-0123456789abcdef0123456789abcdef"
COMMON = [
    "dockerflow_django.middleware.DockerflowMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]


def test_a_reset_link_shows_neither_user_nor_token(ask, summaries):
    """Who reads the log cannot set the password."""
    ask(f"/reset/Nw/{TOKEN}/")
    assert summaries[0].path.removeprefix("/async") == f"/reset/{REDACTED}/{REDACTED}/"


@pytest.mark.parametrize(
    "path", [f"/reset/Nw/{TOKEN}", f"/unknown/Nw/{TOKEN}/", f"/reset/Nw/{TOKEN}/more/"]
)
def test_a_reset_link_that_nothing_resolves_hides_its_token(ask, summaries, path):
    """A redirect to its slash, and a link that is not quite right, are logged as well."""
    ask(path)
    assert TOKEN not in summaries[0].path
    assert REDACTED in summaries[0].path


@override_settings(MIDDLEWARE=COMMON, SECURE_SSL_REDIRECT=True)
def test_a_redirect_to_https_hides_it_too(ask, summaries):
    """A middleware answered before anything was resolved."""
    answer = ask(f"/reset/Nw/{TOKEN}/")
    assert (answer.status, summaries[0].code) == (301, 301)
    assert TOKEN not in summaries[0].path
    assert "Nw" not in summaries[0].path


@sync_and_async_middleware
def tenant(get_response):
    """Give the request a URLconf of its own."""

    async def amiddleware(request):
        request.urlconf = "tests.summary.urls"
        return await get_response(request)

    def middleware(request):
        request.urlconf = "tests.summary.urls"
        return get_response(request)

    return amiddleware if iscoroutinefunction(get_response) else middleware


@sync_and_async_middleware
def maintenance(get_response):
    """Answer all requests."""

    async def amiddleware(request):
        return HttpResponse(status=503)

    def middleware(request):
        return HttpResponse(status=503)

    return amiddleware if iscoroutinefunction(get_response) else middleware


@pytest.mark.parametrize("last", [COMMON[1], f"{__name__}.maintenance"])
def test_a_tenants_link_is_hidden_by_its_own_urls(ask, summaries, lines, last):
    """A middleware set them on the request and another answered, so Django never took them."""
    middleware = [COMMON[0], f"{__name__}.tenant", last]
    with override_settings(
        MIDDLEWARE=middleware, SECURE_SSL_REDIRECT=True, ROOT_URLCONF="tests.urls"
    ):
        ask("/reset/Nw/hunter2/")
    (summary,) = summaries
    assert summary.path.removeprefix("/async") == f"/reset/{REDACTED}/{REDACTED}/"
    djangos = [line for line in lines if line.name == "django.request"]
    assert len(djangos) == (1 if summary.code == 503 else 0)
    written = [MozlogFormatter().format(line) for line in (summary, *djangos)]
    assert "hunter2" not in "".join(written)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/items/7/", "/items/7/"),
        ("/plain/", "/plain/"),
        ("/keys/hunter2", f"/keys/{REDACTED}"),
        ("/keys/hunter2/", f"/keys/{REDACTED}/"),
        ("/reset/Nw/hunter2/", f"/reset/{REDACTED}/{REDACTED}/"),
    ],
)
@pytest.mark.parametrize("is_resolved", [True, False])
def test_values_go_by_the_names_of_their_parameters(make_request, path, expected, is_resolved):
    """Whether or not Django came so far as to resolve them."""
    request = make_request(path)
    request.resolver_match = resolve(path) if is_resolved else None
    assert path_of(request) == expected


class AskingConverter(StringConverter):
    """A converter that asks a database, which is down."""

    def to_python(self, value):
        raise ConnectionError  # pragma: no cover - never asked, which is the point


register_converter(AskingConverter, "asking")


class Patterns:
    """Patterns that hold their secrets where it is easy to miss them; no view is called."""

    urlpatterns = (
        path("below/<secret>/", include([path("here/<int:pk>/", HttpResponse)])),
        path("numbers/<int:key>/", HttpResponse),
        path("default/<int:pk>/", HttpResponse, {"token": "not in the path"}),
        path("orders/<int:pk>/", HttpResponse, {"auth": True}),
        path("all/", include([path("<int:pk>/<key>/", HttpResponse)]), {"auth": True}),
        path("named/", include([path("<token>/", HttpResponse)]), {"token": None}),
        path("given/<str:token>/", HttpResponse, {"token": "another"}),
        path("asked/<asking:token>/", HttpResponse),
        path("unsubscribe/<token>", HttpResponse),
        re_path(r"^either/(?:(?P<token>\d+)|(?P<name>\w+))/$", HttpResponse),
    )


@override_settings(ROOT_URLCONF=Patterns)
@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/below/hunter2/here/3/", f"/below/{REDACTED}/here/3/"),
        ("/numbers/007/", f"/numbers/{REDACTED}/"),
        ("/default/3/", "/default/3/"),
        ("/orders/3/", "/orders/3/"),
        ("/all/3/hunter2/", f"/all/3/{REDACTED}/"),
        ("/named/hunter2/", f"/named/{REDACTED}/"),
        ("/given/hunter2/", f"/given/{REDACTED}/"),
        ("/either/12/", f"/either/{REDACTED}/"),
        ("/either/name/", "/either/name/"),
        ("/unsubscribe/hunter2%3Fmore", f"/unsubscribe/{REDACTED}"),
    ],
)
@pytest.mark.parametrize("is_resolved", [True, False])
def test_secrets_of_any_pattern_are_hidden(make_request, path, expected, is_resolved):
    """Above an include, converted, optional, with a question mark; a default is in no path."""
    request = make_request(path)
    request.resolver_match = resolve(request.path_info) if is_resolved else None
    assert path_of(request) == expected


@override_settings(ROOT_URLCONF=Patterns)
def test_no_converter_is_asked(make_request):
    """A path is read by the patterns alone: a converter may make queries."""
    assert path_of(make_request("/asked/hunter2/")) == f"/asked/{REDACTED}/"


def test_a_question_mark_in_a_path_is_kept(make_request):
    """It does not begin a query string here."""
    assert path_of(make_request("/what%3F/more")) == "/what%3F/more"


@override_settings(ROOT_URLCONF=Patterns)
def test_a_converted_secret_is_not_made_text(make_request):
    """What a converter made may have another text, which may cost a query."""
    request = make_request("/numbers/007/")
    request.resolver_match = resolve(request.path_info)
    with override_settings(ROOT_URLCONF="tests.summary.urls"):
        assert path_of(request) == "/numbers/<int:key>/"


def test_without_its_slash_a_link_is_hidden_too(make_request):
    """CommonMiddleware will redirect it; the path stays without the slash."""
    assert path_of(make_request("/reset/Nw/hunter2")) == f"/reset/{REDACTED}/{REDACTED}"
    assert path_of(make_request("/nowhere")) == "/nowhere"


def test_a_path_of_another_urlconf_is_its_route(make_request):
    """What the URLconf of now does not know is not shown in part."""
    request = make_request("/elsewhere/hunter2/")
    request.resolver_match = resolve("/keys/hunter2/")
    assert path_of(request) == "/^keys/(?P<key>[^/]+)/?$"
    with override_settings(ROOT_URLCONF=Patterns):
        request.resolver_match = resolve("/below/hunter2/here/3/")
    assert path_of(request) == "/below/<secret>/here/<int:pk>/"


def test_a_path_that_a_project_has_changed(make_request):
    """It does not hold what the match has captured, so nothing is taken out."""
    request = make_request("/elsewhere/7/")
    request.resolver_match = resolve("/keys/hunter2/")
    assert path_of(request) == "/elsewhere/7/"


def test_a_match_that_a_project_has_made(make_request):
    """It may tell nothing of where its arguments come from."""
    request = make_request("/elsewhere/hunter2/")
    request.resolver_match = ResolverMatch(HttpResponse, (), {"key": "hunter2"}, route="<key>")
    assert path_of(request) == "/<key>"


@pytest.mark.parametrize(
    "path", ["/a/password=hunter2/", "/a/token=hunter2", "/proxy/https://ada:hunter2@shop/"]
)
def test_what_looks_like_a_secret_is_hidden_anywhere(make_request, path):
    """By its form, where no parameter names it."""
    assert "hunter2" not in path_of(make_request(path))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", ""),
        ("a=1", "a=1"),
        ("a=1&a=2&b", "a=1&a=2&b"),
        ("page=2&tag[]=x", "page=2&tag[]=x"),
        ("next=/a/b,c:d", "next=/a/b,c:d"),
        ("q=a%20b", "q=a b"),
        ("q=a+b", "q=a+b"),
        ("q=h%C3%B6he", "q=höhe"),
        ("token=hunter2&page=2", f"token={REDACTED}&page=2"),
        ("API_KEY=hunter2", f"API_KEY={REDACTED}"),
        ("code=hunter2", f"code={REDACTED}"),
        ("Code=hunter2", f"Code={REDACTED}"),
        ("uidb64=hunter2", f"uidb64={REDACTED}"),
        ("postcode=8000", "postcode=8000"),
        ("state=open&State=inflight", "state=open&State=inflight"),
        ("state=inflights", f"state={REDACTED}"),
        ("state=xyz1234567&code=c", f"state={REDACTED}&code={REDACTED}"),
        (
            "code_verifier=hunter2&code_challenge=hunter2&nonce=hunter2",
            f"code_verifier={REDACTED}&code_challenge={REDACTED}&nonce={REDACTED}",
        ),
        (
            "SAMLResponse=hunter2&RelayState=hunter2&SigAlg=rsa&Signature=hunter2",
            f"SAMLResponse={REDACTED}&RelayState={REDACTED}&SigAlg=rsa&Signature={REDACTED}",
        ),
        ("sv=2020&se=2026&sig=hunter2", f"sv=2020&se=2026&sig={REDACTED}"),
        (
            "X-Amz-Date=2026&X-Amz-Credential=hunter2&X-Amz-Signature=hunter2",
            f"X-Amz-Date=2026&X-Amz-Credential={REDACTED}&X-Amz-Signature={REDACTED}",
        ),
        (
            "AWSAccessKeyId=hunter2&Expires=5&Signature=hunter2",
            f"AWSAccessKeyId={REDACTED}&Expires=5&Signature={REDACTED}",
        ),
        ("Policy=hunter2&Key-Pair-Id=hunter2", f"Policy={REDACTED}&Key-Pair-Id={REDACTED}"),
        ("ticket=hunter2&id_token=hunter2", f"ticket={REDACTED}&id_token={REDACTED}"),
        ("id_token_hint=hunter2&oobCode=hunter2", f"id_token_hint={REDACTED}&oobCode={REDACTED}"),
        ("pgtIou=hunter2&pgtId=hunter2", f"pgtIou={REDACTED}&pgtId={REDACTED}"),
        (
            "client_assertion=hunter2&assertion=hunter2",
            f"client_assertion={REDACTED}&assertion={REDACTED}",
        ),
        ("user[password]=hunter2&otp=hunter2", f"user[password]={REDACTED}&otp={REDACTED}"),
        ("user[code]=hunter2&a[b][code]=hunter2", f"user[code]={REDACTED}&a[b][code]={REDACTED}"),
        ("token[]=hunter2&code[]=hunter2", f"token[]={REDACTED}&code[]={REDACTED}"),
        ("code=a=hunter2&page=2", f"code={REDACTED}&page=2"),
        ("%74oken=hunter2", f"token={REDACTED}"),
        ("token_type=bearer&expires_in=5", "token_type=bearer&expires_in=5"),
        ("next=https://ada:hunter2@shop/", f"next=https://{REDACTED}@shop/"),
        ("a=%ff", "a=\ufffd"),
        ("a=1\r\nb=2", "a=1\r\nb=2"),
    ],
)
def test_query_strings_lose_their_secrets(make_request, query, expected):
    """By key and by form; the rest is unquoted, so that people can read it."""
    request = make_request()
    request.META["QUERY_STRING"] = query
    assert query_of(request) == expected


def test_long_names_are_not_kept(make_request):
    """A client cannot fill the memory with what is remembered of each; its end still counts."""
    request = make_request()
    tracemalloc.start()
    try:
        for number in range(30):
            request.META["QUERY_STRING"] = f"{number}a" * 20_000 + "_token=hunter2"
            assert query_of(request).endswith(f"_token={REDACTED}")
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 800_000


def test_what_follows_a_token_in_a_value_is_hidden(make_request):
    """A URL in a query string has one of its own."""
    request = make_request("/?next=/a/%3Ftoken%3Dhunter2")
    assert "hunter2" not in query_of(request)


@pytest.mark.parametrize("query", ["a=\ud800", "\udcff=1"])
def test_what_cannot_be_encoded_costs_no_record(make_request, query):
    """A server that decodes with surrogate escapes cannot make a request fail."""
    request = make_request()
    request.META["QUERY_STRING"] = query
    assert query_of(request).encode()


def test_without_a_query_string_there_is_none(make_request):
    """A server need not set it."""
    request = make_request()
    del request.META["QUERY_STRING"]
    assert query_of(request) == ""


@override_settings(DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True)
@pytest.mark.parametrize("query", ["name=é&page=2", "name=%C3%A9&page=2", "name=日本", "name=Ã©"])
def test_letters_that_a_client_has_not_encoded(ask, summaries, query):
    """Both worlds show them as they were sent: WSGI gives bytes as Latin-1, ASGI as UTF-8."""
    ask(f"/plain/?{query}")
    assert summaries[0].querystring == unquote(query)


def test_a_query_string_that_is_no_utf_8_stays(make_request):
    """What WSGI has made of it says most."""
    request = make_request()
    for query in ("name=\xff", "name=日本"):
        request.META["QUERY_STRING"] = query
        assert query_of(request) == query


@override_settings(DOCKERFLOW_SUMMARY_LOG_QUERYSTRING=True)
def test_planted_secrets_are_nowhere(ask, summaries, lines):
    """Path, query string, header, cookie and exception: none of them is in the record."""
    ask(
        f"/reset/Nw/{TOKEN}/?token=hunter2&password=hunter2&next=https://a:hunter2@b/",
        Authorization="Bearer hunter2",
        Cookie="sessionid=hunter2",
        X_Api_Key="hunter2",
    )
    ask("/broken/?key=hunter2")
    for record in summaries:
        text = repr(vars(record))
        assert "hunter2" not in text
        assert TOKEN not in text
