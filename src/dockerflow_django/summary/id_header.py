"""The header that tells a client the id of its request."""

from contextlib import suppress

from django.http import BadHeaderError
from django.http.response import HttpResponseBase, ResponseHeaders

from dockerflow_django.conf import conf

# Whether Django keeps headers as it has since 3.2, `{"x-request-id": ("X-Request-ID", "1")}`.
_ARE_PAIRS = vars(ResponseHeaders({"X-A": "b"})) == {"_store": {"x-a": ("X-A", "b")}}


def give_id(response: HttpResponseBase, rid: str) -> None:
    """Give the response the id, unless it has one already or the id is no header's value."""
    header = conf.DOCKERFLOW_REQUEST_ID_HEADER_NAME
    if not header:
        return
    headers = response.headers
    # Every response is given one. What Django makes of a header is as it was if that is printable
    # ASCII, and takes five times as long.
    if _ARE_PAIRS and type(headers) is ResponseHeaders and rid.isascii() and rid.isprintable():
        headers._store.setdefault(header.lower(), (header, rid))  # noqa: SLF001
    elif header not in headers:
        with suppress(BadHeaderError):
            headers[header] = rid
