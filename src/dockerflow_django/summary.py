"""What the one record of a request says."""

import logging
import time
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from dockerflow_django.conf import conf
from dockerflow_django.context import begin_request, current_rid

logger = logging.getLogger("request.summary")

SERVER_ERROR = 500


def begin(request: HttpRequest) -> float:
    """Give the request its id and return when it began, on the performance clock."""
    begin_request(request.headers.get(conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME, ""))
    return time.perf_counter()


def finish(
    request: HttpRequest, response: HttpResponseBase, started: float, *, is_health: bool
) -> None:
    """Write the record."""
    code = response.status_code
    if is_health and code < SERVER_ERROR and not conf.DOCKERFLOW_SUMMARY_LOG_HEALTH:
        return
    extra: dict[str, Any] = {
        "agent": request.headers.get("User-Agent", ""),
        "code": code,
        "errno": 0 if code < 400 else code,  # noqa: PLR2004 - the first error
        "lang": request.headers.get("Accept-Language", ""),
        "method": request.method,
        "path": request.path,
        "rid": current_rid(),
        "t": round((time.perf_counter() - started) * 1000),
    }
    logger.log(logging.ERROR if code >= SERVER_ERROR else logging.INFO, "", extra=extra)
