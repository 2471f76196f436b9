"""The Django projects that are measured: one view, and the middleware of one contender."""

import logging
from typing import Any, TextIO

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

DOCKERFLOW = "python-dockerflow"
OURS = "dockerflow_django"
STRUCTLOG = "django-structlog"
GUID = "django-guid"
BARE = "bare Django"

APPS: dict[str, list[str]] = {
    DOCKERFLOW: ["dockerflow.django"],
    OURS: ["dockerflow_django"],
    STRUCTLOG: ["django_structlog"],
    GUID: ["django_guid"],
    BARE: [],
}
MIDDLEWARE: dict[str, list[str]] = {
    DOCKERFLOW: ["dockerflow.django.middleware.DockerflowMiddleware"],
    OURS: ["dockerflow_django.middleware.DockerflowMiddleware"],
    STRUCTLOG: ["django_structlog.middlewares.RequestMiddleware"],
    GUID: ["django_guid.middleware.guid_middleware"],
    BARE: [],
}
STARTPROJECT = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]


def configure(name: str, *, quiet: bool = False, log: TextIO | None = None, **more: Any) -> None:
    """Configure Django for one contender: `quiet` without its summary, with its lines to `log`."""
    import django

    settings.configure(
        **{
            "ALLOWED_HOSTS": ["*"],
            "BASE_DIR": "/nowhere",
            "INSTALLED_APPS": ["django.contrib.contenttypes", "django.contrib.auth", *APPS[name]],
            "LOGGING": {"version": 1, "disable_existing_loggers": False},
            "LOGGING_CONFIG": None,
            "MIDDLEWARE": MIDDLEWARE[name],
            "ROOT_URLCONF": "benchmarks.projects",
            "SECRET_KEY": "benchmark",
            "USE_TZ": True,
            **more,
        }
    )
    django.setup()
    _log(name, log, quiet=quiet)


def _log(name: str, log: TextIO | None, *, quiet: bool) -> None:
    """Let the contender write its usual line, to nowhere by default."""
    handler = logging.StreamHandler(log or open("/dev/null", "w"))  # noqa: SIM115, PTH123 - for good
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING if quiet else logging.INFO)
    if name == DOCKERFLOW:
        from dockerflow.logging import MozlogFormatter

        handler.setFormatter(MozlogFormatter(logger_name="shop"))
    elif name == OURS:
        from dockerflow_django.logging import MozlogFormatter as Ours

        handler.setFormatter(Ours(logger_name="shop"))
    elif name == STRUCTLOG:
        _structlog(handler)


def _structlog(handler: logging.Handler) -> None:
    """Configure structlog as django-structlog's documentation does."""
    import structlog

    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        structlog.processors.UnicodeDecoder(),
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ]
    structlog.configure(
        processors=shared,
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(processor=structlog.processors.JSONRenderer())
    )


def empty(request: HttpRequest) -> HttpResponse:
    """Answer nothing."""
    return HttpResponse()


async def empty_async(request: HttpRequest) -> HttpResponse:
    """Answer nothing, asynchronously."""
    return HttpResponse()


def _patterns() -> list[Any]:
    ours = [path("", include("dockerflow_django.urls"))]
    patterns = [path("empty/", empty), path("async/", empty_async)]
    if "dockerflow_django" in settings.INSTALLED_APPS:
        patterns += ours
    if "django.contrib.admin" in settings.INSTALLED_APPS:
        from django.contrib import admin

        patterns.append(path("admin/", admin.site.urls))
    return patterns


def __getattr__(name: str) -> Any:
    if name == "urlpatterns":
        return _patterns()
    raise AttributeError(name)
