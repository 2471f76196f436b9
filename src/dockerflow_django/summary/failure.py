"""What a summary says about an exception: its class and the first line of its text.

No exception is kept: it would keep its frames, and all that is in them.
"""

import sys
from typing import Any

from django.core.signals import got_request_exception

from dockerflow_django.context.requests import current_state
from dockerflow_django.logging.description import describe


def _remember(**kwargs: Any) -> None:
    """Describe the exception that Django is about to answer with a server error."""
    state = current_state()
    error = sys.exception()
    if state is not None and error is not None:
        state.error = describe(error)


got_request_exception.connect(_remember, dispatch_uid="dockerflow_django.summary.failure")
