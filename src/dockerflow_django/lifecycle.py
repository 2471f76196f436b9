"""Where this process is in its life: starting, ready, draining, or set not ready.

None of this is an error: a probe that asks is told, and acts.
"""

import os

from django.core import checks
from django.core.checks import CheckMessage

from dockerflow_django import health


class Lifecycle:
    """The life of one process."""

    def __init__(self) -> None:
        self.has_started = False
        self.is_draining = False
        self.is_ready = True
        self.reason = ""

    def notices(self, probe: str) -> list[CheckMessage]:
        """Return why the probe fails whatever its checks say; liveness never fails here."""
        notices: list[CheckMessage] = []
        if not self.has_started and probe in {"readiness", "startup"}:
            sentence = "Starting: the startup checks have not all passed yet."
            notices.append(checks.Info(sentence, id=health.INFO_STARTING))
        if self.is_draining and probe == "readiness":
            sentence = "Draining: requests are served, new ones should go elsewhere."
            notices.append(checks.Info(sentence, id=health.INFO_DRAINING))
        if not self.is_ready and probe == "readiness":
            sentence = f"Set not ready: {self.reason or 'no reason given'}."
            notices.append(checks.Info(sentence, id=health.INFO_NOT_READY))
        return notices


lifecycle = Lifecycle()


def set_ready(ready: bool, reason: str = "") -> None:
    """Take this process out of the service, for `reason`, or let it back."""
    lifecycle.is_ready = ready
    lifecycle.reason = reason


def reset() -> None:
    """Begin a new life, as a forked child does."""
    lifecycle.__init__()  # type: ignore[misc]


os.register_at_fork(after_in_child=reset)
