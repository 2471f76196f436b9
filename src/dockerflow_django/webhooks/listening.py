"""Whether this process serves, and what it hears of its own heartbeat.

All else that sends is imported if there is a URL to send to.
"""

from typing import Any

from django.core.signals import request_started

from dockerflow_django._state import keeps
from dockerflow_django.conf import conf
from dockerflow_django.heartbeat.listeners import evaluated, outcome_changed

_UID = "dockerflow_django.webhooks"

is_serving = False


@keeps("is_serving")
def reset() -> None:
    """Begin anew, as a forked child does."""
    global is_serving  # noqa: PLW0603
    is_serving = False


def connect() -> None:
    """Listen from now on."""
    request_started.connect(serve, dispatch_uid=_UID)
    evaluated.connect(_on_run, dispatch_uid=_UID)
    outcome_changed.connect(_on_change, dispatch_uid=_UID)


def serve(**kwargs: Any) -> None:
    """Take the first request as the sign that this process serves: a command has none."""
    global is_serving  # noqa: PLW0603
    is_serving = True
    request_started.disconnect(dispatch_uid=_UID)


def _on_run(**kwargs: Any) -> None:
    if is_serving and conf.DOCKERFLOW_WEBHOOK_URL:
        from dockerflow_django.webhooks.process import own_sender

        own_sender.on_run(**kwargs)


def _on_change(**kwargs: Any) -> None:
    if is_serving and conf.DOCKERFLOW_WEBHOOK_URL:
        from dockerflow_django.webhooks.process import own_sender

        own_sender.on_change(**kwargs)
