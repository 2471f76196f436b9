"""Where the endpoints are found, for every way to include the URLs."""

from functools import partial, wraps
from types import ModuleType
from typing import Any

import pytest
from django.conf.urls.i18n import i18n_patterns
from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import login_required
from django.test import override_settings
from django.urls import (
    URLPattern,
    URLResolver,
    clear_url_caches,
    include,
    path,
    re_path,
    reverse,
    set_script_prefix,
)
from django.urls.base import get_script_prefix
from django.utils.translation import gettext_lazy, override
from django.views.decorators.cache import never_cache

from dockerflow_django import views
from dockerflow_django.endpoints.answers import Endpoint
from dockerflow_django.endpoints.paths import (
    endpoints_in,
    endpoints_of_project,
    includes_in,
    listed_in,
)
from dockerflow_django.endpoints.public import as_endpoint
from dockerflow_django.health import PROBES
from tests.urls import plain

OURS = "dockerflow_django.urls"
LIVENESS = Endpoint("probe", "liveness")
ENDPOINTS = {
    "__version__": Endpoint("version"),
    "__lbheartbeat__": Endpoint("lbheartbeat"),
    "__heartbeat__": Endpoint("heartbeat"),
    "__heartbeat__/liveness": Endpoint("probe", "liveness"),
    "__heartbeat__/readiness": Endpoint("probe", "readiness"),
    "__heartbeat__/startup": Endpoint("probe", "startup"),
    "__error__": Endpoint("error"),
}


def urlconf(*patterns: URLPattern | URLResolver) -> Any:
    """Make a URLconf of the patterns: a module may stand where its path does."""
    module = ModuleType("urlconf")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    return module


def table(prefix: str) -> dict[str, Endpoint]:
    """Return the whole table below a prefix."""
    return {
        f"{prefix}{path_}{slash}": endpoint
        for path_, endpoint in ENDPOINTS.items()
        for slash in ("", "/")
    }


def test_the_table_of_the_plain_include() -> None:
    """Every endpoint has its path, with a trailing slash and without."""
    assert endpoints_in("tests.urls") == table("/")
    assert listed_in("tests.urls") == {f"/{path_}": each for path_, each in ENDPOINTS.items()}


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


def probes_at(path_: str, *probes: str) -> dict[str, Endpoint]:
    """Return a table of probes."""
    return {path_.format(probe): Endpoint("probe", probe) for probe in probes}


OWN = [
    (path("version/", views.version), {"/version": Endpoint("version")}),
    (path("lb", views.lbheartbeat), {"/lb": Endpoint("lbheartbeat")}),
    (path("livez", views.probe, {"probe": "liveness"}), {"/livez": LIVENESS}),
    (
        path("ops/", include([path("livez", views.lbheartbeat)])),
        {"/ops/livez": Endpoint("lbheartbeat")},
    ),
    (path("z/", include([path("a", views.probe)]), {"probe": "liveness"}), {"/z/a": LIVENESS}),
    (re_path(r"^live\.z/?$", views.probe, {"probe": "liveness"}), {"/live.z": LIVENESS}),
    (path("z/<slug:probe>", views.probe), probes_at("/z/{}", *PROBES)),
    (path("z/<probe>/now/", views.probe), probes_at("/z/{}/now", *PROBES)),
    (
        re_path(r"^(?P<probe>(liveness|startup))z$", views.probe),
        probes_at("/{}z", "liveness", "startup"),
    ),
]


@pytest.mark.parametrize(("pattern", "expected"), OWN)
def test_a_project_may_write_paths_of_its_own(
    pattern: URLPattern | URLResolver, expected: dict[str, Endpoint]
) -> None:
    """The views serve wherever the project puts them, whatever it calls them."""
    assert listed_in(urlconf(pattern)) == expected
    assert endpoints_in(urlconf(pattern)) == {
        f"{path_}{slash}": endpoint for path_, endpoint in expected.items() for slash in ("", "/")
    }


@pytest.mark.parametrize(
    "pattern",
    [
        path("<slug:tenant>/livez", views.probe, {"probe": "liveness"}),
        re_path(r"^(livez|alive)$", views.probe, {"probe": "liveness"}),
        re_path(r"^live\d$", views.lbheartbeat),
        path(gettext_lazy("livez"), views.lbheartbeat),
        *i18n_patterns(path("livez", views.lbheartbeat)),
    ],
)
def test_an_own_path_that_varies_is_in_no_table(pattern: URLPattern | URLResolver) -> None:
    """Its view answers."""
    assert endpoints_in(urlconf(pattern)) == {}


def copied(view: Any) -> Any:
    """Decorate as most do: the wrapper has the attributes of what it wraps."""

    @wraps(view)
    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        return await view(*args, **kwargs)

    return wrapper


WRAPPED = {
    "wraps": copied(views.heartbeat),
    "login_required": login_required(views.heartbeat),
    "staff_member_required": staff_member_required(views.heartbeat),
    "partial": partial(views.heartbeat),
    "never_cache": never_cache(views.heartbeat),
    "the name alone": as_endpoint(copied(plain), "plain"),
}


@pytest.mark.parametrize("view", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("where", ["__heartbeat__", "__heartbeat__/", "health"])
def test_a_view_that_the_project_has_wrapped_is_in_no_table(view: Any, where: str) -> None:
    """What protects it is not passed by, under our names or others, alone or before ours."""
    view = view if view is not WRAPPED["the name alone"] else copied(view)
    assert endpoints_in(urlconf(path(where, view))) == {}
    table_ = endpoints_in(urlconf(path(where, view), path("", include(OURS))))
    assert f"/{where}" not in table_
    assert "/__lbheartbeat__" in table_


def test_the_first_pattern_counts() -> None:
    """Behind a pattern that takes every path our views are not called, so they answer nothing."""
    shadowed = urlconf(path("<path:anything>", plain), path("", include(OURS)))
    assert endpoints_in(shadowed) == {}


def test_another_view_with_the_slash_is_left_alone() -> None:
    """Only the path that Django resolves to our view is ours."""
    patterns = urlconf(path("livez", views.lbheartbeat), path("livez/", plain))
    assert endpoints_in(patterns) == {"/livez": Endpoint("lbheartbeat")}
    patterns = urlconf(path("livez/", views.lbheartbeat), path("livez", plain))
    assert endpoints_in(patterns) == listed_in(patterns) == {"/livez/": Endpoint("lbheartbeat")}


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
    assert endpoints_of_project() is endpoints_of_project()


def test_another_urlconf_builds_tables_anew() -> None:
    """After an override of ROOT_URLCONF nothing old is answered (D17)."""
    assert "/__version__" in endpoints_of_project()
    with override_settings(ROOT_URLCONF=urlconf(path("", plain))):
        assert endpoints_of_project() == {}
    assert "/__version__" in endpoints_of_project()


@pytest.mark.urls(urlconf(path("livez", views.lbheartbeat)))
def test_a_urlconf_that_no_signal_tells_of() -> None:
    """Whoever assigns the setting and clears Django's caches, as pytest-django does, is heard."""
    assert set(endpoints_of_project()) == {"/livez", "/livez/"}


@pytest.mark.parametrize("leaf", ["livez", "readyz"])
def test_patterns_that_change_below_their_name(leaf: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A URLconf that keeps its name is built anew as well, when Django resolves it anew."""
    monkeypatch.setattr("tests.urls.urlpatterns", [path(leaf, views.lbheartbeat)])
    clear_url_caches()
    try:
        assert set(endpoints_of_project()) == {f"/{leaf}", f"/{leaf}/"}
    finally:
        monkeypatch.undo()
        clear_url_caches()
