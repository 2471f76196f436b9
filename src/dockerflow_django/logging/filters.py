"""Give every record the id of its request, and leave alone what a server has switched off."""

import logging
from typing import Any

from dockerflow_django.context import current_rid
from dockerflow_django.context.requests import current_state, has_summary
from dockerflow_django.context.tasks import current_task

RID = "rid"
TASK, TASK_ID = "task", "task_id"
REQUEST = "request"
REQUEST_ATTRIBUTE = "_dockerflow_rid"


class RequestIdLogFilter(logging.Filter):
    """Give a record the id of the current request as ``rid``; every record passes.

    Within a background task it also sets ``task`` and ``task_id``. A record that has such an
    attribute keeps it. Put the filter on a handler: on a logger it sees only that logger's records.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Set the attributes, and return True."""
        # Django's own records about a request carry the request, and are written when it is as
        # good as over: what the request says goes before the context, unless the context is of that
        # request and the project has given it another id.
        attributes = record.__dict__
        if attributes.get(RID) is None:
            rid = current_rid()
            if REQUEST in attributes:
                rid = _rid_of(attributes[REQUEST], rid)
            if rid is not None:
                attributes[RID] = rid
        if (task := current_task()) is not None:
            attributes.setdefault(TASK, task.name)
            attributes.setdefault(TASK_ID, task.task_id)
        return True


class SilencedLogFilter(logging.Filter):
    """Let nothing pass of a logger that was silenced before logging is configured.

    `uvicorn --no-access-log` takes the handlers and the propagation from its logger, and logs on:
    without this, a configuration that lets that logger propagate would switch it on again.
    """

    def __init__(self, logger_name: str) -> None:
        super().__init__()
        logger = logging.getLogger(logger_name)
        self._is_silenced = not logger.handlers and not logger.propagate

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the logger was not silenced."""
        return not self._is_silenced


class SummarisedLogFilter(logging.Filter):
    """Let no access record pass of a request that has a summary: one line a request.

    `runserver` logs in the thread of the request, before that is finished.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the record is about something other than a summarised request."""
        return not has_summary()


def _rid_of(request: Any, current: str | None) -> str | None:
    try:
        rid = getattr(request, REQUEST_ATTRIBUTE, None)
    except Exception:  # noqa: BLE001 - an extra named `request` may be anything
        return current
    state = current_state()
    is_current = state is not None and state.rid == rid
    return rid if isinstance(rid, str) and not is_current else current
