"""The fields that a project adds to its summaries: ``DOCKERFLOW_SUMMARY_EXTRA``."""

import logging
from collections.abc import Callable, Mapping
from functools import cache
from types import NoneType
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils.module_loading import import_string

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.logging.content import FORMATTER_ERROR, LEFT_BY_FORMATTERS, STANDARD
from dockerflow_django.logging.delivery import log
from dockerflow_django.logging.guard import no_database
from dockerflow_django.logging.sanitising import Sanitiser, is_secret
from dockerflow_django.logging.scrubbing import REDACTED, scrub

logger = logging.getLogger("dockerflow_django")

# What a log record says of itself: `logging` refuses an extra of such a name.
_RESERVED = frozenset((*STANDARD, *LEFT_BY_FORMATTERS))
_SCALARS = (str, int, float, bool, NoneType)
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
        return {**_without_secrets({_free(str(k)): v for k, v in theirs}), **fields}
    except Exception:  # noqa: BLE001 - it is logged
        # Once: it may raise at every request.
        if target not in _failed:
            _failed.append(target)
            text = "DOCKERFLOW_SUMMARY_EXTRA raised; its fields are missing"
            log(logger, logging.ERROR, text, exc_info=True)
        return fields


def _without_secrets(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Take secrets out: a summary is not scrubbed once more when it is formatted."""
    shown: dict[str, Any] = {}
    notes: list[str] = []
    for name, value in fields.items():
        if type(value) not in _SCALARS:
            with no_database():
                shown |= Sanitiser(notes).fields({name: value})
        elif is_secret(name, value):
            shown[name] = REDACTED
        else:
            shown[name] = scrub(value) if type(value) is str else value
    return shown | {FORMATTER_ERROR: notes} if notes else shown


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
