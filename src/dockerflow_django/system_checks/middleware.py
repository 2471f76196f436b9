"""Rules about the place of the middleware."""

from collections.abc import Iterator

from django.conf import settings
from django.core.checks import Error, Warning  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

from dockerflow_django.conf import MIDDLEWARE
from dockerflow_django.system_checks.leftovers import is_leftover
from dockerflow_django.system_checks.rule import Finding, rule

# It starts django-prometheus's clock, so it may stand before ours.
MAY_STAND_BEFORE = "django_prometheus.middleware.PrometheusBeforeMiddleware"
UNBOUNDED = "django_prometheus.middleware.PrometheusAfterMiddleware"
BOUNDED = "dockerflow_django.metrics.middleware.PrometheusAfterMiddleware"


@rule("dockerflow.W004", Warning)
def check_middleware_is_there() -> Iterator[Finding]:
    """Find a project without the middleware."""
    if not _places() and not any(map(is_leftover, settings.MIDDLEWARE)):
        yield Finding(
            "The middleware of dockerflow_django is not in MIDDLEWARE: requests get no summary and "
            "no id, and the endpoints stand behind host validation, SSL redirect and the rest.",
            f"Put {MIDDLEWARE!r} first in MIDDLEWARE.",
        )


@rule("dockerflow.W005", Warning)
def check_middleware_is_first() -> Iterator[Finding]:
    """Find another middleware before ours."""
    before = settings.MIDDLEWARE[: min(_places(), default=0)]
    if strangers := [path for path in before if not _is_a(path, MAY_STAND_BEFORE)]:
        yield Finding(
            f"MIDDLEWARE has {', '.join(map(repr, strangers))} before dockerflow_django's: a probe "
            "may be refused there, and what is answered there has no summary.",
            f"Put {MIDDLEWARE!r} first; only django-prometheus's may stand before it. If another "
            "has to be first and answers nothing by itself, silence dockerflow.W005.",
        )


@rule("dockerflow.E005", Error)
def check_middleware_is_there_once() -> Iterator[Finding]:
    """Find the middleware more than once."""
    if len(places := _places()) > 1:
        yield Finding(
            "The middleware of dockerflow_django is in MIDDLEWARE more than once, at "
            f"{', '.join(map(str, places))}: each request would have as many summaries.",
            "Keep the first.",
        )


@rule("dockerflow.W011", Warning)
def check_metrics_are_bounded() -> Iterator[Finding]:
    """Find django-prometheus's own After middleware, whose method label clients choose."""
    for path in settings.MIDDLEWARE:
        if _is_a(path, UNBOUNDED) and not _is_a(path, BOUNDED):
            yield Finding(
                f"MIDDLEWARE has {path!r}: a client that makes up HTTP methods makes up series of "
                "the latency, without bound, and an exception is timed twice.",
                f"Put {BOUNDED!r} in its place.",
            )


def _places() -> list[int]:
    return [index for index, path in enumerate(settings.MIDDLEWARE) if _is_a(path, MIDDLEWARE)]


def _is_a(path: str, wanted: str) -> bool:
    """Tell whether the path leads to the class of that path, or to one made from it."""
    try:
        found = import_string(path)
    except Exception:  # noqa: BLE001 - what does not import, Django reports when it loads it
        return False
    ancestors = found.__mro__ if isinstance(found, type) else ()
    return any(f"{each.__module__}.{each.__qualname__}" == wanted for each in ancestors)
