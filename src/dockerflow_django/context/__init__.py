"""The request or task that this code runs for: its id, its trace, and what is counted meanwhile.

Nothing in here imports Django: log filters use it while settings load.
"""

from dockerflow_django.context.requests import current_rid, current_trace, request_id_context
from dockerflow_django.context.trace import Trace

__all__ = ["Trace", "current_rid", "current_trace", "request_id_context"]
