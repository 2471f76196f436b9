"""The rules about where the URLs are included."""

from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import include, path, re_path, register_converter

from dockerflow_django import views
from tests.system_checks import messages, sentences
from tests.urls import plain

OURS = "dockerflow_django.urls"


def told(*patterns: Any) -> list[str]:
    """Return what is said about a URLconf of these patterns."""
    module = ModuleType("shop.urls")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    with override_settings(ROOT_URLCONF=module):
        return sentences("dockerflow.W006") + sentences("dockerflow.E006")


@pytest.mark.parametrize(
    "patterns",
    [
        [path("", include(OURS))],
        [path("ops/", include([path("v1/", include(OURS))]))],
        [path("", include(OURS)), path("ops/", include(OURS))],
        [path("", include(OURS)), *i18n_patterns(path("shop/", plain))],
    ],
)
def test_a_fixed_place_is_well(patterns: list[Any]) -> None:
    """Anywhere below a prefix that does not vary, once or more often."""
    assert told(*patterns) == []


@pytest.mark.parametrize("patterns", [[], [path("shop/", plain)], [path("shop/", include([]))]])
def test_urls_that_are_not_included_are_told(patterns: list[Any]) -> None:
    """Nothing is served then, and nobody should find out by a failing probe (D23)."""
    (sentence,) = told(*patterns)
    assert sentence.endswith("no endpoint is served.")


@pytest.mark.parametrize(
    ("patterns", "written"),
    [
        ([path("<slug:tenant>/", include(OURS))], "/<slug:tenant>/"),
        ([path("<slug:tenant>/", include([path("ops/", include(OURS))]))], "/<slug:tenant>/ops/"),
        ([re_path(r"^v\d/", include(OURS))], r"/^v\\d/"),
        (i18n_patterns(path("ops/", include(OURS))), "/en-us/ops/"),
        ([path("", include(OURS)), path("<int:x>/", include(OURS))], "/<int:x>/"),
    ],
)
def test_a_place_that_varies_is_an_error(patterns: list[Any], written: str) -> None:
    """A probe has one path; the message says below which pattern the include stands."""
    (sentence,) = told(*patterns)
    assert f"included below '{written}', which varies" in sentence


EVERY = (
    "'/__version__', '/__lbheartbeat__', '/__heartbeat__', '/__heartbeat__/liveness', "
    "'/__heartbeat__/readiness', '/__heartbeat__/startup', '/__error__'"
)


def shadowed(*patterns: Any) -> list[str]:
    """Return what is said about patterns that stand before ours."""
    module = ModuleType("shop.urls")
    module.urlpatterns = list(patterns)  # type: ignore[attr-defined]
    with override_settings(ROOT_URLCONF=module):
        return sentences("dockerflow.W019")


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        (re_path(r"^(?P<path>.*)$", plain), "^(?P<path>.*)$"),
        (re_path(r"^(?!api/)", plain), "^(?!api/)"),
        (re_path("", plain), ""),
        (path("<path:rest>", plain), "<path:rest>"),
        (path("", include([path("<path:rest>", plain)])), "<path:rest>"),
    ],
)
def test_a_pattern_for_any_path_before_ours_is_told(pattern: Any, written: str) -> None:
    """Its view answers 200 to every probe, and no check ever runs."""
    (sentence,) = shadowed(pattern, path("", include(OURS)))
    assert sentence == (
        f"tests.urls.plain answers at {EVERY}: its pattern '{written}' stands before those of "
        "dockerflow_django, and takes these paths among others."
    )


@pytest.mark.parametrize("pattern", [path("livez", views.probe), path("ops/", include(OURS))])
def test_the_mend_fits_whatever_stands_behind(pattern: Any) -> None:
    """A view of ours at a path of the project's own, and an include below a prefix."""
    module = ModuleType("shop.urls")
    module.urlpatterns = [path("<path:rest>", plain), pattern]  # type: ignore[attr-defined]
    with override_settings(ROOT_URLCONF=module):
        (message,) = messages("dockerflow.W019")
    assert message.hint == (
        "In urlpatterns, move the patterns of these paths, or the include() that has them, above "
        "'<path:rest>'."
    )
    assert shadowed(pattern, path("<path:rest>", plain)) == []


class Half:
    """A view that has one of the names that Django wants, and not the other."""

    __name__ = "half"

    def __call__(self, request: HttpRequest) -> HttpResponse:
        raise NotImplementedError


def test_a_view_without_a_name() -> None:
    """Such an object is named by its class, and breaks no other check."""
    (sentence,) = shadowed(path("<path:rest>", Half()), path("", include(OURS)))
    assert sentence.startswith("Half answers at '/__version__', ")


def test_a_pattern_that_takes_some_paths_of_ours_is_told() -> None:
    """Those, each as it is asked for."""
    (sentence,) = shadowed(path("<slug:page>/", plain), path("", include(OURS)))
    assert "at '/__version__/', '/__lbheartbeat__/', '/__heartbeat__/', '/__error__/':" in sentence
    below = path("ops/", include([path("<path:rest>", plain), path("", include(OURS))]))
    (sentence,) = shadowed(below, path("", include(OURS)))
    assert "at '/ops/__version__', " in sentence
    own = path("ops/", include([path("", views.heartbeat)]))
    (sentence,) = shadowed(re_path(r"^ops/.*", plain), own)
    assert "at '/ops/':" in sentence


class Shops:
    """A converter that would ask a database."""

    regex = "[^/]+"

    def to_python(self, value: str) -> str:
        raise NotImplementedError

    def to_url(self, value: str) -> str:
        raise NotImplementedError


register_converter(Shops, "shops-of-a-test")


@pytest.mark.parametrize(
    "pattern",
    [
        path("__heartbeat__", plain),
        path("__heartbeat__/", login_required(views.heartbeat)),
        path("__heartbeat__/<slug:probe>", login_required(views.probe)),
        re_path(r"^__(version|error)__/?$", plain),
        path("<int:year>/", plain),
        path("<slug:shop>/stock/", plain),
        path("livez/", views.lbheartbeat),
        path("<shops-of-a-test:shop>/", plain),
        path("<shops-of-a-test:shop>/", include([path("", plain)])),
        *i18n_patterns(path("<path:rest>", plain)),
    ],
)
def test_a_pattern_for_other_paths_or_for_just_one_of_ours_is_well(pattern: Any) -> None:
    """A view that the project has put there on purpose, wrapped or its own, is its business."""
    assert shadowed(pattern, path("", include(OURS)), path("<path:rest>", plain)) == []


@pytest.mark.parametrize(
    "urlconf", ["shop.urls", "tests.checks.broken_module", "tests.settings", None]
)
def test_a_urlconf_that_is_broken_is_django_s_to_report(urlconf: str | None) -> None:
    """The rules do not raise, and do not call a mistake of another kind ours."""
    with override_settings(ROOT_URLCONF=urlconf):
        assert sentences("dockerflow.W006") == sentences("dockerflow.E006") == []
        assert sentences("dockerflow.W019") == []


@override_settings()
def test_a_project_without_urls_is_well() -> None:
    """A worker serves nothing, and needs no endpoint."""
    del settings.ROOT_URLCONF
    assert sentences("dockerflow.W006") == sentences("dockerflow.E006") == []
