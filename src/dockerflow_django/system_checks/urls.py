"""Rules about where the URLs are included."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004 - Django's name
from django.urls import URLPattern

from dockerflow_django.endpoints.paths import Include, endpoints_in, includes_in, shadows_in
from dockerflow_django.system_checks.rule import Finding, rule


@rule("dockerflow.W006", Warning)
def check_urls_are_included() -> Iterator[Finding]:
    """Find a URLconf without our URLs."""
    if _includes() == [] and not endpoints_in(settings.ROOT_URLCONF):
        yield Finding(
            f"The URLs of dockerflow_django are not included in {settings.ROOT_URLCONF!r}: no "
            "endpoint is served.",
            'Add path("", include("dockerflow_django.urls")) to its urlpatterns.',
        )


@rule("dockerflow.E006", Error)
def check_urls_have_one_prefix() -> Iterator[Finding]:
    """Find our URLs below a prefix that varies."""
    for include in _includes() or ():
        if include.prefix is None:
            yield Finding(
                f"The URLs of dockerflow_django are included below {include.written!r}, which "
                "varies: a probe has no fixed path, and the middleware does not answer there.",
                "Include them where nothing is captured or translated, outside of i18n_patterns().",
            )


@rule("dockerflow.W019", Warning)
def check_no_pattern_stands_before() -> Iterator[Finding]:
    """Find a pattern that takes paths of our endpoints among others."""
    try:
        shadows = shadows_in(settings.ROOT_URLCONF)
    except Exception:  # noqa: BLE001 - as in `_includes`
        return
    for pattern, paths in shadows.items():
        shown = ", ".join(map(repr, paths))
        yield Finding(
            f"{_view_of(pattern)} answers at {shown}: its pattern '{pattern.pattern}' stands "
            "before those of dockerflow_django, and takes these paths among others.",
            "In urlpatterns, move the patterns of these paths, or the include() that has them, "
            f"above '{pattern.pattern}'.",
        )


def _view_of(pattern: URLPattern) -> str:
    """Name the view as Django does, which raises for an object that has only some of its names."""
    try:
        return pattern.lookup_str
    except Exception:  # noqa: BLE001 - a view is anybody's object
        return type(pattern.callback).__qualname__


def _includes() -> list[Include] | None:
    """Return the includes, None if the URLconf is missing or broken: Django reports that."""
    try:
        return includes_in(settings.ROOT_URLCONF)
    except Exception:  # noqa: BLE001 - importing a project's URLs may raise anything
        return None
