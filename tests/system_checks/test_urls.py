"""The rules about where the URLs are included."""

from types import ModuleType
from typing import Any

import pytest
from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.test import override_settings
from django.urls import include, path, re_path

from tests.system_checks import sentences
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


@pytest.mark.parametrize(
    "urlconf", ["shop.urls", "tests.checks.broken_module", "tests.settings", None]
)
def test_a_urlconf_that_is_broken_is_django_s_to_report(urlconf: str | None) -> None:
    """The rules do not raise, and do not call a mistake of another kind ours."""
    with override_settings(ROOT_URLCONF=urlconf):
        assert sentences("dockerflow.W006") == sentences("dockerflow.E006") == []


@override_settings()
def test_a_project_without_urls_is_well() -> None:
    """A worker serves nothing, and needs no endpoint."""
    del settings.ROOT_URLCONF
    assert sentences("dockerflow.W006") == sentences("dockerflow.E006") == []
