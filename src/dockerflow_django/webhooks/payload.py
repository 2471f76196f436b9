"""What is posted: django-hurricane's keys."""

import os
import socket
import time
from typing import Any

from dockerflow_django.health import FAILED, PASSED
from dockerflow_django.logging.scrubbing import scrub

STATUSES = {PASSED: "succeeded", FAILED: "failed"}

Messages = dict[str, dict[str, str]]


def payload(
    probe: str, outcome: str, messages: Messages, *, is_error: bool, version: str | None
) -> dict[str, Any]:
    """Return the object that is posted.

    The status of a probe that fails without an error, as while starting or draining, is
    ``warning``.
    """
    status = STATUSES[outcome]
    return {
        "info": f"{probe.capitalize()} webhook",
        "type": probe,
        "status": "warning" if outcome == FAILED and not is_error else status,
        "timestamp": int(time.time()),
        "podname": os.environ.get("HOSTNAME") or socket.gethostname(),
        "version": version,
        "traceback": scrub(_text(messages)) or None,
    }


def _text(messages: Messages) -> str:
    return "\n".join(
        f"{name}: {id_}: {text}" for name, texts in messages.items() for id_, text in texts.items()
    )
