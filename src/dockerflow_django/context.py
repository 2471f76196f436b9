"""The request id of the request that this code runs for."""

import os
import re
from contextvars import ContextVar

request_id_context: ContextVar[str | None] = ContextVar("request_id", default=None)

_VALID = re.compile(r"[A-Za-z0-9._\-+/=:@]{1,128}")


def current_rid() -> str | None:
    """Return the id of the current request, None outside of one."""
    return request_id_context.get()


def begin_request(wanted: str) -> str:
    """Take the id that the client sent where it is valid, else a new one: 32 hex digits."""
    rid = wanted if _VALID.fullmatch(wanted) else os.urandom(16).hex()
    request_id_context.set(rid)
    return rid
