"""Between an answer and Django: what the client accepts, and the response it gets."""

from django.http import HttpRequest, HttpResponse

from dockerflow_django.endpoints.answers import Answer


def respond(answer: Answer, method: str | None) -> HttpResponse:
    """Make the response of an answer; to HEAD it has the headers of GET's and no body."""
    body = answer.body
    response = HttpResponse(
        b"" if method == "HEAD" else body, status=answer.status, headers=answer.headers
    )
    response.headers["Content-Length"] = str(len(body))
    # Django would log "Service Unavailable" as an error, and mail it to the admins, at every poll;
    # what is wrong is logged once, when it changes.
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
    return response


def accepts_html(request: HttpRequest) -> bool:
    """Tell whether the ``Accept`` header names ``text/html``, as a browser's does.

    ``*/*`` does not count: a kubelet sends it. Whatever else the header holds is no error.
    """
    accept: str = request.META.get("HTTP_ACCEPT", "")
    if "text/html" not in accept.lower():
        return False
    for media_range in accept.lower().split(","):
        kind, _, parameters = media_range.partition(";")
        if kind.strip() == "text/html" and not _is_refused(parameters):
            return True
    return False


def _is_refused(parameters: str) -> bool:
    """Tell whether the weight is zero (RFC 9110, section 12.4.2)."""
    weights = [p.strip()[2:] for p in parameters.split(";") if p.strip().startswith("q=")]
    return any(weight.strip("0") in {"", "."} for weight in weights)
