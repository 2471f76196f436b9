"""What a client gets over HTTP, in both worlds, with the middleware and without it."""

from collections.abc import Callable, Iterator
from functools import partial, wraps
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.core import checks
from django.db import connections
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from dockerflow_django import views
from dockerflow_django.endpoints.answers import ErrorEndpointCalledError
from dockerflow_django.endpoints.paths import listed_in
from dockerflow_django.heartbeat import evaluation
from tests import handlers
from tests.handlers import WORLDS, Answer

OURS = "dockerflow_django.middleware.DockerflowMiddleware"
OTHERS = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
LOGIN = "django.contrib.auth.middleware.LoginRequiredMiddleware"
STRICT = {
    "ALLOWED_HOSTS": ["shop.example"],
    "SECURE_SSL_REDIRECT": True,
    "MIDDLEWARE": [OURS, *OTHERS, LOGIN],
}
PATHS = [
    "/__version__",
    "/__lbheartbeat__",
    "/__heartbeat__",
    "/__heartbeat__/liveness",
    "/__heartbeat__/readiness",
    "/__heartbeat__/startup",
]
REFUSED = ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "BREW"]
ACCEPTS = [
    "",
    "*/*",
    "application/json",
    "text/plain",
    "image/png;q=0.1",
    "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2",  # HttpURLConnection of Java
    "text/html;q=0",
    "garbage",
    ";;;,,,===",
    "text/html;q=x",
    "text/html" * 2000,
    "a/b," * 5000,
    "\xff\xfe",
]

Ask = Callable[..., Answer]


@pytest.fixture(params=WORLDS)
def ask(request: pytest.FixtureRequest) -> Ask:
    """Send a request in either world; what a view raises becomes a answer."""
    return partial(handlers.ask, request.param)


@pytest.fixture(params=["with", "without"])
def stack(request: pytest.FixtureRequest) -> Iterator[str]:
    """Put the middleware first, or leave it away so that the views answer."""
    ours = [OURS] if request.param == "with" else []
    with override_settings(MIDDLEWARE=[*ours, *OTHERS]):
        yield str(request.param)


@pytest.fixture(autouse=True)
def project(tmp_path: Path) -> Iterator[Path]:
    """Give the project a version and no check."""
    (tmp_path / "version.json").write_text('{"version": "1"}')
    quiet = {"DOCKERFLOW_CHECKS": [], "DOCKERFLOW_PROBES": {"readiness": []}}
    with override_settings(BASE_DIR=tmp_path, DOCKERFLOW_CHECK_TIMEOUT=10, **quiet):
        yield tmp_path
    evaluation.reset()


def urls(*patterns: Any) -> override_settings:
    """Let these patterns be the URLconf."""
    module = ModuleType("urlconf")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return override_settings(ROOT_URLCONF=module)


def assert_is_ours(answer: Answer, status: int = 200) -> None:
    """Show that an endpoint gave the answer, and no session or language had a part in it."""
    assert answer.status == status
    # Only the load balancer's answer is no JSON: it is empty.
    is_empty = answer.headers["content-length"] == "0"
    kind = "text/plain" if is_empty else "application/json"
    assert answer.headers["content-type"] == kind
    assert answer.headers["cache-control"] == "no-store"
    assert not {"vary", "set-cookie"} & set(answer.headers)


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("url", PATHS)
@pytest.mark.usefixtures("stack")
def test_get_is_answered_with_json(ask: Ask, url: str, slash: str) -> None:
    """Every endpoint is there, with its trailing slash and without (D23)."""
    answer = ask("GET", url + slash)
    assert_is_ours(answer)
    if "lbheartbeat" in url:
        assert answer.body == b""
    else:
        assert answer.json == ({"version": "1"} if "version" in url else {"status": "ok"})


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("url", PATHS)
@pytest.mark.usefixtures("stack")
def test_head_is_answered_without_a_body(ask: Ask, url: str, slash: str) -> None:
    """HEAD has the headers of GET, the length among them."""
    answer = ask("HEAD", url + slash)
    assert_is_ours(answer)
    assert answer.body == b""
    assert answer.headers["content-length"] == str(len(ask("GET", url).body))


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("method", REFUSED)
@pytest.mark.usefixtures("stack")
def test_other_methods_are_refused(ask: Ask, method: str, slash: str) -> None:
    """Nothing but GET and HEAD runs a check, and no token of a form is asked for (D21)."""
    for url in PATHS:
        answer = ask(method, url + slash)
        assert_is_ours(answer, 405)
        assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("url", ["/__error__", "/__error__/"])
@pytest.mark.usefixtures("stack")
def test_the_error_endpoint_is_off(ask: Ask, method: str, url: str) -> None:
    """Nobody causes an error unless the project lets them (D12)."""
    assert_is_ours(ask(method, url), 404)


@pytest.mark.usefixtures("stack")
@override_settings(DOCKERFLOW_ERROR_ENDPOINT=True)
def test_the_error_endpoint_raises_into_django(ask: Ask, caplog: pytest.LogCaptureFixture) -> None:
    """Turned on, its exception takes the way of any view's: to the log and to error reporting."""
    assert ask("GET", "/__error__").status == 500
    classes = [record.exc_info[0] for record in caplog.records if record.exc_info]
    assert classes == [ErrorEndpointCalledError]
    assert_is_ours(ask("POST", "/__error__"), 405)


@pytest.mark.usefixtures("stack")
def test_an_unknown_probe_is_not_found(ask: Ask) -> None:
    """A misspelt probe is told which there are."""
    answer = ask("GET", "/__heartbeat__/alive")
    assert_is_ours(answer, 404)
    assert "liveness, readiness, startup" in answer.body.decode()


@pytest.mark.parametrize(
    "url",
    [
        "/__version__x",
        "/__version__//",
        "//__version__",
        "/__VERSION__",
        "/__version__%0A",
        "/__version__%ff",
        "/%ff%fe/__version__",
        "/__heartbeat__/liveness/x",
        "/__heartbeat__/%ff",
        "/__heartbeat__/%F0%9F%92%A9",
        "/__heartbeat__/liveness%00",
    ],
)
@pytest.mark.usefixtures("stack")
def test_other_paths_are_not_ours(ask: Ask, url: str) -> None:
    """What only looks like an endpoint is not found; what cannot be decoded is no error."""
    assert ask("GET", url).status == 404


@pytest.mark.parametrize("accept", ACCEPTS)
@pytest.mark.parametrize("url", ["/__version__", "/__heartbeat__"])
@pytest.mark.usefixtures("stack")
def test_no_accept_header_is_an_error(ask: Ask, url: str, accept: str) -> None:
    """Whatever a client claims to accept, the answer is there, as django-health-check's is not."""
    assert ask("GET", url, {"accept": accept}).status == 200


@pytest.mark.parametrize(
    "accept", [a for a in ACCEPTS if not a.startswith(("text/html,", "text/html;q=x"))]
)
@override_settings(**STRICT)
def test_probes_get_json_past_every_other_middleware(ask: Ask, accept: str) -> None:
    """A kubelet calls by pod IP over plain HTTP: no 400, no 301, no login page (D24, T1)."""
    for url in PATHS:
        headers = {"host": "10.1.2.3:8000", "accept": accept}
        assert_is_ours(ask("GET", url, headers))


@override_settings(**STRICT)
def test_a_browser_goes_past_them_all(ask: Ask) -> None:
    """A request for a page is not answered early: host validation and redirect come first."""
    headers = {"accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"}
    assert ask("GET", "/__heartbeat__", {**headers, "host": "evil"}).status == 400
    headers["host"] = "shop.example"
    assert ask("GET", "/__heartbeat__", headers).status == 301


@pytest.mark.parametrize("host", ["", "a b", "10.1.2.3:port", "[::1", "\xff", "a" * 5000, "a,b"])
@override_settings(**STRICT)
def test_no_host_header_is_an_error(ask: Ask, host: str) -> None:
    """A host that Django would refuse is never looked at."""
    assert_is_ours(ask("GET", "/__lbheartbeat__", {"host": host}))


@pytest.mark.parametrize("url", PATHS)
@pytest.mark.usefixtures("stack")
def test_a_script_prefix_is_no_part_of_the_path(ask: Ask, url: str) -> None:
    """Mounted below a prefix, by the server or by FORCE_SCRIPT_NAME, the endpoints are there."""
    assert_is_ours(ask("GET", url, prefix="/shop"))
    with override_settings(FORCE_SCRIPT_NAME="/shop"):
        assert_is_ours(ask("GET", url))


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        (path("ops/", include("dockerflow_django.urls")), "/ops"),
        (path("a/", include([path("b/", include("dockerflow_django.urls"))])), "/a/b"),
        (re_path(r"^ops\.v1/", include("dockerflow_django.urls")), "/ops.v1"),
        (path("ö/", include("dockerflow_django.urls")), "/%C3%B6"),
        (re_path(r"^v\d/", include("dockerflow_django.urls")), "/v2"),
        (re_path(r"^(a|b)/", include("dockerflow_django.urls")), "/a"),
        (path("<slug:tenant>/", include("dockerflow_django.urls")), "/acme"),
        (path("<slug:probe>/", include("dockerflow_django.urls")), "/acme"),
        (i18n_patterns(path("", include("dockerflow_django.urls")))[0], "/en-us"),
    ],
)
@pytest.mark.usefixtures("stack")
def test_the_endpoints_are_where_they_are_included(ask: Ask, pattern: Any, prefix: str) -> None:
    """Below a fixed prefix the table finds them, below one that varies the views answer (D23)."""
    with urls(pattern):
        for url in PATHS[:3]:
            assert_is_ours(ask("GET", f"{prefix}{url}"))
        assert ask("GET", "/__version__").status == 404


def test_the_table_answers_below_a_fixed_prefix(ask: Ask) -> None:
    """A prefix costs a kubelet nothing: host validation still comes later."""
    pattern = path("ö/", include("dockerflow_django.urls"))
    with urls(pattern), override_settings(**STRICT):
        assert_is_ours(ask("GET", "/%C3%B6/__heartbeat__", {"host": "10.1.2.3"}))


@pytest.mark.usefixtures("stack")
def test_a_project_may_serve_at_paths_of_its_own(ask: Ask) -> None:
    """A probe is where a chart expects it, and nothing is served beside it (D23)."""
    own = [path("livez", views.probe, {"probe": "liveness"}, name="probe")]
    with urls(path("", include((own, "dockerflow")))):
        assert_is_ours(ask("GET", "/livez"))
        assert_is_ours(ask("POST", "/livez"), 405)
        assert ask("GET", "/__version__").status == 404


@pytest.mark.usefixtures("stack")
def test_nothing_is_served_that_is_not_included(ask: Ask) -> None:
    """Without the include there is no endpoint, so it can be left away (D23)."""
    with urls():
        assert ask("GET", "/__heartbeat__").status == 404


@pytest.mark.parametrize("url", PATHS)
@pytest.mark.usefixtures("stack")
def test_no_session_and_no_user_is_touched(ask: Ask, url: str) -> None:
    """A session cookie costs no query: this test may not open the database (D6)."""
    assert_is_ours(ask("GET", url, {"cookie": f"sessionid={'a' * 32}"}))


@override_settings(MIDDLEWARE=[*OTHERS, LOGIN])
def test_no_login_is_asked_for(ask: Ask) -> None:
    """The views answer a stranger where every other one sends him to the login page."""
    assert ask("GET", "/plain/").status == 302
    assert [ask("GET", url).status for url in PATHS] == [200] * len(PATHS)


@pytest.mark.usefixtures("stack")
def test_no_transaction_is_opened(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """ATOMIC_REQUESTS of any database leaves the endpoints alone: this test may not open one."""
    default = connections.settings["default"]
    monkeypatch.setitem(default, "ATOMIC_REQUESTS", True)
    monkeypatch.setitem(connections.settings, "other", default)
    for url in PATHS:
        assert_is_ours(ask("GET", url))


@pytest.mark.usefixtures("stack")
def test_a_failing_heartbeat_is_json(ask: Ask) -> None:
    """A check that raises gives the configured status and an object, not a page (D2)."""

    def check_raising(**kwargs: Any) -> list[checks.CheckMessage]:
        raise SystemExit

    failing = {"DOCKERFLOW_CHECKS": [check_raising]}
    with override_settings(**failing, DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE=503):
        answer = ask("GET", "/__heartbeat__")
    assert_is_ours(answer, 503)
    assert answer.json == {"status": "critical"}


@pytest.mark.parametrize(
    ("details", "debug", "shown"),
    [
        ("debug", True, True),
        ("debug", False, False),
        ("always", False, True),
        ("never", True, False),
        (lambda request: request.headers["X-Key"] == "let me in", False, True),
        (lambda request: request.user.is_staff, True, False),
    ],
)
@pytest.mark.usefixtures("stack", "caplog")
def test_details_are_shown_to_who_may_see_them(
    ask: Ask, details: Any, debug: bool, shown: bool
) -> None:
    """With DEBUG on, details are shown, and never the other way round (D34)."""
    with override_settings(DOCKERFLOW_HEARTBEAT_DETAILS=details, DEBUG=debug):
        answer = ask("GET", "/__heartbeat__", {"x-key": "let me in"})
    assert ("checks" in answer.json) is shown


@pytest.mark.parametrize("content", ["", "{", "[]", "NaN", None])
@pytest.mark.usefixtures("stack")
def test_a_version_that_is_none_is_json(ask: Ask, project: Path, content: str | None) -> None:
    """No file is 404, a wrong one 500, both as an object that names no folder (D33)."""
    if content is None:
        (project / "version.json").unlink()
    else:
        (project / "version.json").write_text(content)
    answer = ask("GET", "/__version__")
    assert_is_ours(answer, 404 if content is None else 500)
    assert str(project) not in answer.json["error"]


def test_no_health_answer_is_logged_as_django_s_error(
    ask: Ask, stack: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Django does not mail the admins a "Service Unavailable" at every poll."""
    with override_settings(DOCKERFLOW_PROBES={"liveness": [lambda **_: [checks.Error("down")]]}):
        assert ask("GET", "/__heartbeat__/liveness").status == 503
    assert [record for record in caplog.records if record.name == "django.request"] == []
    assert stack in {"with", "without"}


@pytest.mark.parametrize("world", WORLDS)
@given(
    accept=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=80),
    host=st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=40),
    method=st.sampled_from(["GET", "HEAD", *REFUSED]) | st.text("ABZ-", min_size=1, max_size=9),
    url=st.sampled_from([*PATHS, "/__error__", "/__version__/"]),
)
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@override_settings(**STRICT, DEBUG_PROPAGATE_EXCEPTIONS=True)
def test_whatever_is_asked_early_is_answered_with_json(
    world: str, accept: str, host: str, method: str, url: str
) -> None:
    """No header and no method makes an endpoint fail, or answer with anything but an object."""
    headers = {"accept": accept.replace("html", ""), "host": host}
    answer = handlers.ask(world, method, url, headers)
    known = 404 if url == "/__error__" else 200
    assert_is_ours(answer, known if method in {"GET", "HEAD"} or known == 404 else 405)
    if method == "HEAD" or answer.headers["content-type"] == "text/plain":
        assert answer.body == b""
    else:
        assert isinstance(answer.json, dict)


@pytest.mark.long
@pytest.mark.parametrize("world", WORLDS)
@given(segment=st.text(max_size=20), tail=st.binary(max_size=5))
@hypothesis_settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@override_settings(DEBUG_PROPAGATE_EXCEPTIONS=True)
def test_no_path_is_an_error(world: str, segment: str, tail: bytes) -> None:
    """Whatever follows our paths is an endpoint or is not found, and never a traceback."""
    url = "/__heartbeat__/" + "".join(f"%{byte:02x}" for byte in segment.encode("utf-8", "replace"))
    url += "".join(f"%{byte:02x}" for byte in tail)
    answer = handlers.ask(world, "GET", url)
    assert answer.status == (200 if url == "/__heartbeat__/" else 404)


def test_the_urlconf_of_the_tests_includes_ours() -> None:
    """The paths above are those of the table."""
    assert {*PATHS, "/__error__"} == set(listed_in(settings.ROOT_URLCONF))


async def guarded(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """Protect the heartbeat as a project would."""
    if request.headers.get("X-Key") != "let me in":
        return HttpResponse(status=403)
    response: HttpResponse = await views.heartbeat(request, *args, **kwargs)
    return response


@pytest.mark.parametrize("view", [guarded, wraps(views.heartbeat)(guarded)])
@pytest.mark.parametrize("accept", ["*/*", "text/html", "application/json"])
@override_settings(DOCKERFLOW_HEARTBEAT_DETAILS="always")
def test_a_guarded_heartbeat_is_guarded_for_everybody(ask: Ask, view: Any, accept: str) -> None:
    """Whatever a client accepts, it meets what the project has put before the view."""
    patterns = [path("__heartbeat__", view), path("", include("dockerflow_django.urls"))]
    with urls(*patterns), override_settings(MIDDLEWARE=[OURS, *OTHERS]):
        host = {"host": "testserver", "X-Forwarded-Proto": "https", "accept": accept}
        assert ask("GET", "/__heartbeat__", host).status == 403
        assert ask("GET", "/__heartbeat__", {**host, "X-Key": "let me in"}).status == 200


@override_settings(MIDDLEWARE=[OURS, *OTHERS], SECURE_SSL_REDIRECT=True)
def test_an_own_path_is_answered_early(ask: Ask) -> None:
    """For a host that is not known and over plain HTTP, with a slash and without."""
    with urls(path("livez", views.probe, {"probe": "liveness"})):
        for url in ("/livez", "/livez/"):
            assert_is_ours(ask("GET", url, {"host": "10.0.0.1:8000"}))
