"""The rules about the place of the middleware."""

import pytest
from django.test import override_settings
from django_prometheus.middleware import PrometheusBeforeMiddleware

from dockerflow_django.middleware import DockerflowMiddleware
from tests.system_checks import sentences

HERE = __name__
OURS = "dockerflow_django.middleware.DockerflowMiddleware"
BEFORE = "django_prometheus.middleware.PrometheusBeforeMiddleware"
SECURITY = "django.middleware.security.SecurityMiddleware"


class OwnMiddleware(DockerflowMiddleware):
    """A project's own version of ours."""


class OwnBeforeMiddleware(PrometheusBeforeMiddleware):
    """A project's own version of django-prometheus's."""


def function_middleware(get_response: object) -> None:
    """Stand for a middleware that is a function."""


def told(*middleware: str) -> list[str]:
    """Return the ids of what is said about this MIDDLEWARE."""
    with override_settings(MIDDLEWARE=list(middleware)):
        ids = ("dockerflow.W004", "dockerflow.W005", "dockerflow.E005")
        return [id_ for id_ in ids if sentences(id_)]


@pytest.mark.parametrize(
    "middleware",
    [
        (OURS,),
        (OURS, SECURITY),
        (BEFORE, OURS, SECURITY),
        (f"{HERE}.OwnBeforeMiddleware", OURS),
        (f"{HERE}.OwnMiddleware", SECURITY),
    ],
)
def test_first_is_the_place(middleware: tuple[str, ...]) -> None:
    """First, or right after django-prometheus's; what a project made from either does too."""
    assert told(*middleware) == []


@pytest.mark.parametrize("middleware", [(), (SECURITY,), (BEFORE, f"{HERE}.function_middleware")])
def test_a_project_without_it_is_warned(middleware: tuple[str, ...]) -> None:
    """Its views answer, behind everything, and no request has a summary."""
    assert told(*middleware) == ["dockerflow.W004"]


@pytest.mark.parametrize(
    "before",
    [SECURITY, f"{HERE}.function_middleware", "shop.nothing", "tests.checks.broken_module.x"],
)
def test_another_before_it_is_told(before: str) -> None:
    """A probe would be redirected or refused by it; it is named, imported or not (D24)."""
    assert told(before, OURS) == ["dockerflow.W005"]
    with override_settings(MIDDLEWARE=[BEFORE, before, OURS]):
        (sentence,) = sentences("dockerflow.W005")
    assert f"MIDDLEWARE has '{before}' before" in sentence


def test_twice_is_once_too_often() -> None:
    """Every request would be written twice."""
    assert told(OURS, SECURITY, f"{HERE}.OwnMiddleware") == ["dockerflow.E005"]
    with override_settings(MIDDLEWARE=(OURS, OURS)):
        (sentence,) = sentences("dockerflow.E005")
    assert "more than once, at 0, 1:" in sentence


@pytest.mark.parametrize(
    ("after", "told"),
    [
        ("django_prometheus.middleware.PrometheusAfterMiddleware", True),
        ("dockerflow_django.metrics.middleware.PrometheusAfterMiddleware", False),
        (SECURITY, False),
    ],
)
def test_metrics_without_bounds_are_told(after: str, told: bool) -> None:
    """django-prometheus's own After middleware takes whatever method a client makes up (H15)."""
    with override_settings(MIDDLEWARE=[OURS, after]):
        assert bool(sentences("dockerflow.W011")) is told
