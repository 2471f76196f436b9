"""The header that tells a client the id of its request."""

from contextlib import suppress

from django.http import BadHeaderError
from django.http.response import HttpResponseBase, ResponseHeaders

from dockerflow_django.conf import conf

# Whether Django keeps headers as it has since 3.2, `{"x-request-id": ("X-Request-ID", "1")}`.
_ARE_PAIRS = vars(ResponseHeaders({"X-A": "b"})) == {"_store": {"x-a": ("X-A", "b")}}


def give_id(response: HttpResponseBase, rid: str) -> None:
    """Give the response the id, unless it has another already or the id is no header's value."""
    header = conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME
    if not header:
        return
    headers = response.headers
    # Every response is given one. What Django makes of a header is as it was if that is printable
    # ASCII, and takes five times as long.
    are_djangos = type(headers) is ResponseHeaders
    if _ARE_PAIRS and are_djangos and rid.isascii() and rid.isprintable():
        store, ours = headers._store, (header, rid)  # noqa: SLF001
        found = store.setdefault(header.lower(), ours)
        if found is not ours and _was_given(response, found[1]):
            store[header.lower()] = ours
    elif header not in headers or (are_djangos and _was_given(response, headers[header])):
        with suppress(BadHeaderError):
            headers[header] = rid
            rid = headers[header]  # it may be encoded
    response._dockerflow_rid = rid  # type: ignore[attr-defined]  # noqa: SLF001


def _was_given(response: HttpResponseBase, rid: str) -> bool:
    """Tell whether it is the id of an earlier request: a project may keep a response."""
    return rid == getattr(response, "_dockerflow_rid", None)
