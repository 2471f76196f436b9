"""The fields that a project adds to its summaries: ``DOCKERFLOW_SUMMARY_EXTRA``."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.logging.content import LEFT_BY_FORMATTERS, STANDARD
from dockerflow_django.logging.sanitising import is_secret
from dockerflow_django.logging.scrubbing import REDACTED, scrub

logger = logging.getLogger("dockerflow_django")

# What a log record says of itself: `logging` refuses an extra of such a name.
_RESERVED = frozenset((*STANDARD, *LEFT_BY_FORMATTERS))
# A list, for a callable of the project's own need not have a hash.
_failed: list[Callable[..., Any] | str] = []


def add_project_fields(
    fields: Mapping[str, Any], request: HttpRequest, response: HttpResponseBase
) -> Mapping[str, Any]:
    """Return the fields with the project's: none if they cannot be had, ours if both are.

    A name that log records reserve gets the prefix ``fields.``.
    """
    target = conf.DOCKERFLOW_SUMMARY_EXTRA
    if target is None:
        return fields
    try:
        function = _import(target) if isinstance(target, str) else target
        theirs = function(request, response).items()
        return {**{_free(str(name)): _shown(str(name), value) for name, value in theirs}, **fields}
    except Exception:
        # Once: it may raise at every request.
        if target not in _failed:
            _failed.append(target)
            logger.exception("DOCKERFLOW_SUMMARY_EXTRA raised; its fields are missing")
        return fields


def _shown(name: str, value: Any) -> Any:
    """Take secrets out: a summary is not scrubbed once more when it is formatted."""
    if is_secret(name, value):
        return REDACTED
    if type(value) is list:
        return [_shown("", item) for item in value]
    return scrub(value) if type(value) is str else value


@cache
def _import(path: str) -> Callable[..., Mapping[str, Any]]:
    function: Callable[..., Mapping[str, Any]] = import_string(path)
    return function


@keeps("_failed", "_import")
def reset() -> None:
    """Forget the project's function, and that it raised."""
    _failed.clear()
    _import.cache_clear()


def _free(name: str) -> str:
    return f"fields.{name}" if name in _RESERVED else name
