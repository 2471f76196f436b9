"""Where the endpoints are found, for every way to include the URLs."""

from collections.abc import Iterator
from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.test import override_settings
from django.urls import URLPattern, URLResolver, include, path, re_path, reverse, set_script_prefix
from django.urls.base import get_script_prefix
from django.utils.translation import gettext_lazy, override

from dockerflow_django import views
from dockerflow_django.endpoints.answers import Endpoint
from dockerflow_django.endpoints.paths import endpoints_in, includes_in
from tests.urls import plain

OURS = "dockerflow_django.urls"
ENDPOINTS = {
    "__version__": Endpoint("version"),
    "__lbheartbeat__": Endpoint("lbheartbeat"),
    "__heartbeat__": Endpoint("heartbeat"),
    "__heartbeat__/liveness": Endpoint("probe", "liveness"),
    "__heartbeat__/readiness": Endpoint("probe", "readiness"),
    "__heartbeat__/startup": Endpoint("probe", "startup"),
    "__error__": Endpoint("error"),
}


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    """Build the tables anew for the test."""
    endpoints_in.cache_clear()
    yield
    endpoints_in.cache_clear()


def urlconf(*patterns: URLPattern | URLResolver) -> Any:
    """Make a URLconf of the patterns: a module may stand where its path does."""
    module = ModuleType("urlconf")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return module


def table(prefix: str) -> dict[str, Endpoint]:
    """Return the whole table below a prefix."""
    return {f"{prefix}{path_}": endpoint for path_, endpoint in ENDPOINTS.items()}


def test_the_table_of_the_plain_include() -> None:
    """Every endpoint has its path, without a trailing slash."""
    assert endpoints_in("tests.urls") == table("/")


def test_a_urlconf_without_ours_has_no_table() -> None:
    """Nothing is served that was not included (D23)."""
    assert endpoints_in(urlconf(path("plain/", plain))) == {}


@pytest.mark.parametrize(
    ("pattern", "prefix"),
    [
        (path("ops/", include(OURS)), "/ops/"),
        (path("a.b-c/", include(OURS)), "/a.b-c/"),
        (path("dienst für/", include(OURS)), "/dienst für/"),
        (path("a/", include([path("b/", include(OURS)), path("", plain)])), "/a/b/"),
        (path("a/", include(([path("b/", include(OURS))], "apps"))), "/a/b/"),
        (re_path(r"^ops/", include(OURS)), "/ops/"),
        (re_path(r"ops/", include(OURS)), "/ops/"),
        (re_path(r"^v1\.0/", include(OURS)), "/v1.0/"),
        (re_path(r"^v1.0/", include(OURS)), "/v1.0/"),
        (path("ops/", include(OURS, namespace="health")), "/ops/"),
    ],
)
def test_a_fixed_prefix_is_part_of_the_table(pattern: URLResolver, prefix: str) -> None:
    """Wherever the include stands, its paths are those that a client asks for."""
    assert endpoints_in(urlconf(pattern)) == table(prefix)


VARYING = [
    path("<slug:tenant>/", include(OURS)),
    path("<slug:tenant>/", include([path("ops/", include(OURS))])),
    re_path(r"^(?P<tenant>\w+)/", include(OURS)),
    re_path(r"^(a|b)/", include(OURS)),
    re_path(r"^v\d/", include(OURS)),
    re_path(r"^ops/?", include(OURS)),
    re_path(r"^[ab]/", include(OURS)),
    path(gettext_lazy("health/"), include(OURS)),
    re_path(gettext_lazy("^health/"), include(OURS)),
    *i18n_patterns(path("", include(OURS))),
    *i18n_patterns(path("ops/", include(OURS)), prefix_default_language=False),
]


@pytest.mark.parametrize("pattern", VARYING)
def test_a_prefix_that_varies_has_no_table(pattern: URLResolver) -> None:
    """The include is found and told as one whose prefix varies; its views answer."""
    (found,) = includes_in(urlconf(pattern))
    assert found.prefix is None
    assert found.written.startswith("/")
    assert endpoints_in(urlconf(pattern)) == {}


def test_two_includes_both_have_their_paths() -> None:
    """An include under two prefixes is answered at both, whatever their namespaces."""
    twice = urlconf(path("", include(OURS)), path("ops/", include(OURS)))
    assert endpoints_in(twice) == table("/") | table("/ops/")


def test_an_include_that_varies_leaves_the_other_alone() -> None:
    """A second include below a captured pattern costs the first nothing."""
    both = urlconf(path("<slug:tenant>/", include(OURS)), path("", include(OURS)))
    assert endpoints_in(both) == table("/")


def test_somebody_else_s_captures_do_not_make_ours_vary() -> None:
    """Django lets every ``path("", include(…))`` share its converters, so they tell nothing."""
    other = include(([path("a/", plain, name="a")], "other"))
    patterns = urlconf(path("<slug:x>/", include([path("", other)])), path("", include(OURS)))
    with override_settings(ROOT_URLCONF=patterns):
        assert reverse("other:a", kwargs={"x": "b"}) == "/b/a/"
    assert endpoints_in(patterns) == table("/")


def test_a_project_may_write_paths_of_its_own() -> None:
    """The views serve under other names too, and only those that are named."""
    own = [
        path("version/", views.version, name="version"),
        path("livez", views.probe, {"probe": "liveness"}, name="probe"),
    ]
    assert endpoints_in(urlconf(path("", include((own, "dockerflow"))))) == {
        "/version": Endpoint("version"),
        "/livez": Endpoint("probe", "liveness"),
    }


def test_the_table_has_no_script_prefix() -> None:
    """It is compared with ``path_info``, and built by whichever request comes first."""
    before = get_script_prefix()
    set_script_prefix("/shop/")
    try:
        assert endpoints_in("tests.urls") == table("/")
    finally:
        set_script_prefix(before)


def test_the_table_is_the_same_in_every_language() -> None:
    """A first request in another language does not spoil the table for the rest."""
    with override("de"):
        assert endpoints_in("tests.urls") == table("/")


def test_the_table_is_built_once() -> None:
    """A request pays for a look-up in a dictionary."""
    assert endpoints_in("tests.urls") is endpoints_in("tests.urls")


def test_another_urlconf_builds_tables_anew() -> None:
    """After an override of ROOT_URLCONF nothing old is answered (D17)."""
    before = endpoints_in("tests.urls")
    with override_settings(ROOT_URLCONF="tests.urls"):
        assert endpoints_in("tests.urls") is not before
