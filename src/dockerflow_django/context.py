"""Stand-in until the request context is merged."""

from contextvars import ContextVar

request_id_context: ContextVar[str | None] = ContextVar("request_id", default=None)


def current_rid() -> str | None:
    """Return the id of the current request."""
    return request_id_context.get()
