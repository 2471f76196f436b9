"""The one record of a request: started with the middleware, written at its end or the stream's."""

import logging
import random
from functools import cache

from django.core.signals import request_finished, request_started
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from dockerflow_django.conf import conf
from dockerflow_django.context.requests import (
    RequestState,
    adopt_rid,
    end_inner_request,
    end_request,
    note_failure,
    on_request_finished,
    on_request_started,
    start_request,
)
from dockerflow_django.context.trace import parse_traceparent
from dockerflow_django.lifecycle import request_ended
from dockerflow_django.logging.content import SUMMARY_LOGGER
from dockerflow_django.logging.delivery import deliver
from dockerflow_django.logging.description import describe
from dockerflow_django.logging.making import make_record
from dockerflow_django.logging.sentry import keep_from_sentry
from dockerflow_django.summary import failure  # noqa: F401 - connects itself
from dockerflow_django.summary.extra_fields import add_project_fields
from dockerflow_django.summary.fields import fields_of, least_fields_of
from dockerflow_django.summary.id_header import give_id
from dockerflow_django.summary.streaming import follow
from dockerflow_django.summary.verdict import (
    CLIENT_CLOSED_REQUEST,
    SERVER_ERROR,
    is_gone,
    rate_of,
    verdict_of,
)

logger = logging.getLogger(SUMMARY_LOGGER)


def start(request: HttpRequest) -> RequestState:
    """Start a request: from here on it has its id."""
    meta = request.META
    header = conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME
    wanted = meta.get(_meta_key(header)) if header else None
    sent = meta.get("HTTP_TRACEPARENT")
    state = start_request(wanted, parse_traceparent(sent) if isinstance(sent, str) else None)
    state.is_running = True
    if state.outer is not None and state.outer[0].may_be_left and _is_of_server(request):
        state.outer = None
    _name(request, state)
    return state


def finish(request: HttpRequest, response: HttpResponseBase, state: RequestState) -> None:
    """Give the response its id; write the summary, or have a stream write it at its end."""
    state.is_running = False
    _adopt_rid(request, state)
    give_id(response, state.rid)
    if response.streaming:
        follow(request, response, state, _write)
    else:
        _write(request, response, state)
    if state.outer is not None:
        end_inner_request(state)


def fail(request: HttpRequest, state: RequestState, error: BaseException) -> None:
    """Write the summary of a request that leaves without a response, and forget the request.

    If a response is closed, Django says so in a signal; here is none.
    """
    state.is_running = False
    _adopt_rid(request, state)
    code = CLIENT_CLOSED_REQUEST if is_gone(error) else SERVER_ERROR
    _write(request, HttpResponse(status=code), state, error=error)
    if state.outer is not None:
        end_inner_request(state)
    else:
        end_request()
        note_failure()


def _name(request: HttpRequest, state: RequestState) -> None:
    # For `RequestIdLogFilter`, and by python-dockerflow's name.
    request._dockerflow_rid = request._id = state.rid  # type: ignore[attr-defined]  # noqa: SLF001


def _is_of_server(request: HttpRequest) -> bool:
    """Tell whether no test client has made the request: they mark theirs before a middleware."""
    return not hasattr(request, "_dont_enforce_csrf_checks")


def _adopt_rid(request: HttpRequest, state: RequestState) -> None:
    rid = state.rid
    adopt_rid(state)
    if state.rid != rid:
        _name(request, state)


@cache
def _meta_key(header: str) -> str:
    return f"HTTP_{header.upper().replace('-', '_')}"


def _size_of(request: HttpRequest, response: HttpResponseBase) -> int | None:
    if request.method == "HEAD":
        return 0
    try:
        return len(response.content)  # type: ignore[attr-defined]
    except Exception:  # noqa: BLE001 - not rendered, or a class of the project's own
        return None


def _write(
    request: HttpRequest,
    response: HttpResponseBase,
    state: RequestState,
    *,
    size: int | None = None,
    error: BaseException | None = None,
) -> None:
    if state.is_over:
        return
    if state.progress is not None:
        request_ended(state.progress)
    # A status that is no number costs the response, in Django too: `fail` writes the record then.
    errno, level = verdict_of(response.status_code, error, state)
    state.is_over = True
    if not logger.isEnabledFor(level):
        return
    try:
        rate = rate_of(request, state, errno, level)
        if rate < 1 and random.random() >= rate:  # noqa: S311 - a sample, not a secret
            return
        fields = fields_of(request, state)
    except Exception as problem:  # noqa: BLE001 - a project may put anything on its request
        rate, fields = 1.0, least_fields_of(request, state, problem)
    fields["code"] = response.status_code
    if size is None and error is None:
        size = _size_of(request, response)
    if size is not None:
        fields["size"] = size
    if rate < 1:
        fields["sample_rate"] = rate
    fields["errno"] = errno  # `SUMMARY_LAST`
    message = "" if level < logging.ERROR else describe(error) if error else state.error
    extra = add_project_fields(fields, request, response)
    # What `logger.log()` does, but for looking up the stack for its caller, which is this line, and
    # for looking whether an extra bears a reserved name, which none does.
    record = make_record(SUMMARY_LOGGER, level, message)
    record.__dict__.update(extra)
    keep_from_sentry(SUMMARY_LOGGER)
    deliver(logger, record)


# Not at the end of the middleware: after it Django logs, streams the body, and closes it.
request_finished.connect(on_request_finished, dispatch_uid="dockerflow_django.summary.finished")
# Cleans up behind a request that never finished; and in the task of a pipelined one, which uvicorn
# makes in the context of the request before.
request_started.connect(on_request_started, dispatch_uid="dockerflow_django.summary.started")
