"""What ``manage.py dockerflow`` tells: where the endpoints are, what probes run, what is set."""

from typing import Any

from django.conf import settings
from django.core import checks
from django.core.checks.registry import registry
from django.urls import NoReverseMatch, reverse

from dockerflow_django.checks.check import Check
from dockerflow_django.checks.registry import configuration
from dockerflow_django.conf import APP_NAME, METRICS_NAME, MIDDLEWARE, conf
from dockerflow_django.endpoints.paths import includes_in, listed_in
from dockerflow_django.heartbeat.report import status_of
from dockerflow_django.logging.sanitising import is_secret
from dockerflow_django.logging.scrubbing import REDACTED, scrub

# Whose checks judge the configuration, and are not meant for a probe.
_NOT_THE_PROJECTS = {"django", "dockerflow_django"}
METRICS_URLS = (f"{METRICS_NAME}:metrics", "prometheus-django-metrics")

Overview = dict[str, Any]


def look_over() -> Overview:
    """Return everything as what JSON can hold; no check is run and no service is asked."""
    listed = {
        probe: [_check(name, check) for name, check in found]
        for probe, found in configuration().items()
    }
    return {
        "endpoints": _endpoints(),
        "is_included": bool(includes_in(settings.ROOT_URLCONF)),
        "metrics": [path for name in METRICS_URLS if (path := _path(name))],
        "is_answered_early": MIDDLEWARE in settings.MIDDLEWARE,
        "checks": listed,
        "not_asked": _not_asked(listed),
        "settings": _settings(),
        "system_checks": _system_checks(),
    }


def _endpoints() -> list[dict[str, str]]:
    """Return every path; one below a pattern that varies is the pattern's."""
    urlconf = settings.ROOT_URLCONF
    found = [
        {"path": path, "name": endpoint.probe or endpoint.name}
        for path, endpoint in listed_in(urlconf).items()
    ]
    varying = [include for include in includes_in(urlconf) if include.prefix is None]
    return found + [{"path": include.written, "name": APP_NAME} for include in varying]


def _path(name: str) -> str:
    try:
        return reverse(name)
    except NoReverseMatch:
        return ""


def _check(name: str, check: Check) -> dict[str, Any]:
    keywords = {
        key: REDACTED if is_secret(key, value) else scrub(repr(value))
        for key, value in check.keywords.items()
    }
    return {
        "name": name,
        "path": f"{check.module}.{check.name}",
        "source": check.source,
        "keywords": keywords,
        "timeout": check.timeout,
        "every": check.every,
        "once": check.once,
    }


def _not_asked(listed: dict[str, list[dict[str, Any]]]) -> list[str]:
    """Return the paths of checks that only Django runs, other than its own and ours."""
    asked = {check["path"] for found in listed.values() for check in found}
    everything = registry.get_checks(include_deployment_checks=True)
    paths = {_path_of(function) for function in everything} - asked
    return sorted(path for path in paths if path.partition(".")[0] not in _NOT_THE_PROJECTS)


def _path_of(function: Any) -> str:
    check = Check(function, {})
    return f"{check.module}.{check.name}"


def _settings() -> list[dict[str, str]]:
    return [
        {
            "name": found.name,
            "value": scrub(found.shown),
            "origin": found.origin,
            "problem": f"It must be {found.wanted}." if found.wanted else "",
        }
        for found in conf.look_up_all()
    ]


def _system_checks() -> list[dict[str, str]]:
    messages = [message for message in checks.run_checks() if not message.is_silenced()]
    messages.sort(key=lambda message: -message.level)
    return [
        {
            "id": message.id or "",
            "level": status_of(message.level),
            "message": scrub(str(message.msg)),
            "hint": scrub(str(message.hint or "")),
        }
        for message in messages
        if str(message.id).startswith("dockerflow.")
    ]
