"""The view of the metrics."""

from asgiref.sync import sync_to_async
from django.http import HttpRequest, HttpResponse

from dockerflow_django.context.requests import current_state
from dockerflow_django.endpoints.answers import METHODS, NOT_ALLOWED
from dockerflow_django.endpoints.public import public
from dockerflow_django.endpoints.responses import make_response, note_health
from dockerflow_django.lifecycle import request_ended
from dockerflow_django.metrics.exposition import expose


async def _metrics(request: HttpRequest) -> HttpResponse:
    """Answer a scrape, even while every thread that may use the database is busy."""
    if request.method not in METHODS:
        return make_response(NOT_ALLOWED, request.method)
    note_health()
    _leave_the_count()
    accept = request.headers.get("Accept", "")
    accept_encoding = request.headers.get("Accept-Encoding", "")
    exposition = await sync_to_async(expose, thread_sensitive=False)(accept, accept_encoding)
    body = b"" if request.method == "HEAD" else exposition.body
    response = HttpResponse(body, headers=exposition.headers)
    response.headers["Content-Length"] = str(len(exposition.body))
    return response


def _leave_the_count() -> None:
    """Take the scrape itself out of the requests in progress: else there were always some."""
    state = current_state()
    if state is not None and state.progress is not None:
        request_ended(state.progress)


metrics = public(_metrics, "metrics")
