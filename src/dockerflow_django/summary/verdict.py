"""What a request's end means: its error number, the level of its record, and whether it has one."""

import asyncio
import logging

from django.http import HttpRequest

from dockerflow_django.conf import APP_NAME, METRICS_NAME, conf
from dockerflow_django.context.requests import RequestState

# nginx's; no specification has one.
CLIENT_CLOSED_REQUEST = 499
BAD_REQUEST = 400
SERVER_ERROR = 500

_OWN_NAMES = frozenset((APP_NAME, METRICS_NAME))

# What is thrown into code that nobody waits for any more, by the event loop or into a generator.
_GONE = (asyncio.CancelledError, GeneratorExit)


def is_gone(error: BaseException | None) -> bool:
    """Tell whether the error means that the client has gone."""
    return isinstance(error, _GONE)


def verdict_of(code: int, error: BaseException | None, state: RequestState) -> tuple[int, int]:
    """Return the error number, 0 for success, and the level: only what fails here is an error."""
    if error is not None:
        is_ours = not is_gone(error)
        return (
            (SERVER_ERROR, logging.ERROR) if is_ours else (CLIENT_CLOSED_REQUEST, logging.WARNING)
        )
    if code < BAD_REQUEST:
        return 0, logging.INFO
    return code, logging.INFO if code < SERVER_ERROR or state.is_expected else logging.ERROR


def rate_of(request: HttpRequest, state: RequestState, errno: int, level: int) -> float:
    """Return how many of such requests are to be logged, from 0 for none to 1 for all."""
    if not errno and _is_health(request, state) and not conf.DOCKERFLOW_SUMMARY_LOG_HEALTH:
        return 0.0
    if errno >= SERVER_ERROR or level > logging.INFO:
        return 1.0
    excluded = conf.DOCKERFLOW_SUMMARY_EXCLUDE
    if excluded and any(pattern.search(str(request.path)) for pattern in excluded):
        return 0.0
    return conf.DOCKERFLOW_SUMMARY_SAMPLE_RATE


def _is_health(request: HttpRequest, state: RequestState) -> bool:
    """Tell whether the app itself has answered, wherever its view is, or was asked at its URLs."""
    match = request.resolver_match
    return state.is_health or (match is not None and not _OWN_NAMES.isdisjoint(match.app_names))
