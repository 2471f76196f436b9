"""What a summary says about an exception: its class and the first line of its text.

No exception is kept: it would keep its frames, and all that is in them.
"""

import sys
from typing import Any

from django.core.signals import got_request_exception

from dockerflow_django.context import current_state
from dockerflow_django.logging.scrubbing import scrub

MAX_LENGTH = 500
# More than is shown, so that a secret is recognised before it is cut; less than what takes long.
_MAX_SCRUBBED = 4 * MAX_LENGTH


def describe(error: BaseException) -> str:
    """Return the exception's class and the first line of its text, without secrets."""
    try:
        text = str(error).strip()[:_MAX_SCRUBBED]
    except Exception:  # noqa: BLE001 - a class may be wrong in its own `__str__`
        text = ""
    first_line = scrub(text.splitlines()[0]) if text else ""
    name = type(error).__name__
    return (f"{name}: {first_line}" if first_line else name)[:MAX_LENGTH]


def _remember(**kwargs: Any) -> None:
    """Describe the exception that Django is about to answer with a server error."""
    state = current_state()
    error = sys.exception()
    if state is not None and error is not None:
        state.error = describe(error)


got_request_exception.connect(_remember, dispatch_uid="dockerflow_django.summary.failure")
