"""What each endpoint answers: a status, headers and a JSON body, for a name and a method.

Nothing here knows a request: the middleware and the views ask, and hand the answer on.
"""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from asgiref.sync import sync_to_async
from django.core.serializers.json import DjangoJSONEncoder

from dockerflow_django.conf import conf
from dockerflow_django.endpoints.endpoint import Endpoint
from dockerflow_django.health import HEARTBEAT, PROBES
from dockerflow_django.heartbeat.evaluation import aevaluate, evaluate
from dockerflow_django.heartbeat.report import Report, fails_as_expected
from dockerflow_django.version import VersionError, current_version

METHODS = ("GET", "HEAD")
SERVICE_UNAVAILABLE = 503

logger = logging.getLogger("dockerflow_django")


class ErrorEndpointCalledError(Exception):
    """What ``/__error__`` raises."""


@dataclass(frozen=True)
class Answer:
    """What goes back to the client; without a `payload` the body is empty.

    `is_expected` tells that a probe fails only because the process starts, drains or is not ready.
    """

    status: int
    payload: Mapping[str, Any] | None
    allow: str = ""
    is_expected: bool = False

    @cached_property
    def body(self) -> bytes:
        """The payload as JSON, with what Django's encoder knows: dates, decimals, lazy texts."""
        if self.payload is None:
            return b""
        return json.dumps(self.payload, cls=DjangoJSONEncoder, allow_nan=False).encode()

    @property
    def headers(self) -> dict[str, str]:
        """The headers beside the length."""
        headers = {
            "Content-Type": "text/plain" if self.payload is None else "application/json",
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
        }
        return {**headers, "Allow": self.allow} if self.allow else headers


def answer(endpoint: Endpoint, method: str, *, details: bool = False) -> Answer:
    """Answer a request; `details` tells whether this client may see those of a heartbeat."""
    early = _refusal(endpoint, method) or _simple(endpoint)
    if early is not None:
        return early
    if endpoint.name == "version":
        return _version()
    return _heartbeat(evaluate(endpoint.probe or HEARTBEAT), details=details)


async def aanswer(endpoint: Endpoint, method: str, *, details: bool = False) -> Answer:
    """Do the same without blocking the event loop."""
    early = _refusal(endpoint, method) or _simple(endpoint)
    if early is not None:
        return early
    if endpoint.name == "version":
        return await sync_to_async(_version)()
    return _heartbeat(await aevaluate(endpoint.probe or HEARTBEAT), details=details)


def status_of_heartbeat(report: Report) -> int:
    """Return the status code that tells of the report's outcome."""
    if report.passed:
        return 200
    if report.probe == HEARTBEAT:
        return conf.DOCKERFLOW_HEARTBEAT_FAILED_STATUS_CODE
    return SERVICE_UNAVAILABLE


def has_details(endpoint: Endpoint) -> bool:
    """Tell whether the answer depends on who may see details."""
    return endpoint.name in {"heartbeat", "probe"}


# What Dockerflow asks for is the status alone.
LBHEARTBEAT = Answer(200, None)
NOT_ALLOWED = Answer(405, {"error": "Only GET and HEAD are answered here."}, ", ".join(METHODS))


def _refusal(endpoint: Endpoint, method: str) -> Answer | None:
    if endpoint.name == "error" and not conf.DOCKERFLOW_ERROR_ENDPOINT:
        return _problem(404, "This endpoint is off; DOCKERFLOW_ERROR_ENDPOINT turns it on.")
    if endpoint.name == "probe" and endpoint.probe not in PROBES:
        return _problem(404, f"No such probe; there are {', '.join(PROBES)}.")
    if method not in METHODS:
        return NOT_ALLOWED
    return None


def _simple(endpoint: Endpoint) -> Answer | None:
    if endpoint.name == "error":
        logger.error("The __error__ endpoint was called")
        raise ErrorEndpointCalledError("This exception was asked for at the __error__ endpoint.")
    return LBHEARTBEAT if endpoint.name == "lbheartbeat" else None


def _heartbeat(report: Report, *, details: bool) -> Answer:
    return Answer(
        status_of_heartbeat(report),
        report.payload(details=details),
        is_expected=fails_as_expected(report),
    )


def _version() -> Answer:
    try:
        version = current_version()
    except VersionError as error:
        return _problem(500, f"{error}.")
    return _problem(404, "There is no version.json.") if version is None else Answer(200, version)


def _problem(status: int, sentence: str) -> Answer:
    return Answer(status, {"error": sentence})
